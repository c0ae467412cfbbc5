"""Encodings of text files: their names, how one is detected, and a file's text as UTF-8."""
