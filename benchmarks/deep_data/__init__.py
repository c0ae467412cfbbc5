"""What deep data cost and give: one file a part, `python -m benchmarks.deep_data [part...]`."""
