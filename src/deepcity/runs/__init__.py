"""Runs of a map: folder, progress, results, notes."""
