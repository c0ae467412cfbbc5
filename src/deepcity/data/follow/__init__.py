"""New rows of a source as they arrive."""
