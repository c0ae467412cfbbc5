"""Counting units of a table by area and time, over cells that are public beforehand."""
