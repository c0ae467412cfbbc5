"""What outlives a run: checkpoints and layer packages."""
