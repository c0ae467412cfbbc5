"""A file that Python runs when it starts, for processes of a federation under test."""
