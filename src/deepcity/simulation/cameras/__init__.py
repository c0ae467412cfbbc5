"""Cameras of the simulated streets: what they record, what they miss, and what they get wrong."""
