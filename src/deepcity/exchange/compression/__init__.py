"""Compression of updates: the greatest moves are sent, what is left out is made up for later."""
