"""Workbooks: their sheets as files of columns, read by a process of its own."""
