"""Worlds that stand in for real ones, to measure what nobody could measure in a real city."""
