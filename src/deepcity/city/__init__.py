"""Shared words: city, agency, place, clock, field, level, errors."""
