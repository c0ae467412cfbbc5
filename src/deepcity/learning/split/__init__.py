"""Vertical federated learning: encoders of agencies, the fused network, their packages."""
