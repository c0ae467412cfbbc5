"""Incident rooms over HTTP: who is concerned, what there is to do, and who saw what."""
