"""Rows that come to a node: checked at a door, kept in a file, then read like any other."""
