"""City Application Layer: one file a service."""
