"""What learning together costs: one file a part, `python -m benchmarks.cost [part...]`."""
