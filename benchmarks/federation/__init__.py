"""Rounds between machines: what the exchange adds to its engine, and what faults do to a run."""
