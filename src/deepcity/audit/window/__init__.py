"""Attacks that rebuild a window of records from what a layer releases."""
