"""City Application Layer: one file a service; what services of one task share is in `tasks`."""
