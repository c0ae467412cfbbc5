"""Traffic: causes of jams, and detours, on the freeways of Los Angeles."""
