"""Searches for one person across cities: opened, approved, answered by owners, and closed.

A city that searches sends a query to the cities that it names; each looks through its own tracks
and answers with camera, time and score, and with nothing else.
"""
