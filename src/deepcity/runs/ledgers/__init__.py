"""Release ledgers of a run: what is recorded, who co-signs heads, how all of it is checked."""
