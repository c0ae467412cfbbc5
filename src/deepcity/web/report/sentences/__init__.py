"""Sentences of doubts about records and of going on learning."""
