"""Updates are fused as they come, weighted by their staleness; nobody waits for the slowest."""
