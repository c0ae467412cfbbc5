"""What outlives a run: checkpoints, layer packages and deep data."""
