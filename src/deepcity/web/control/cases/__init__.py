"""Searches for a person over HTTP: opened, approved, searched, judged and closed by people."""
