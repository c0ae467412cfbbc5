"""How many and never who: counts of tracks that other services read as any records."""
