"""Texts to moments: formats, zones, daylight saving, resampling to a clock."""
