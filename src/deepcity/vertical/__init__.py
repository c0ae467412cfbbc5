"""Vertical federated (split) learning between a city's agencies; no row leaves its agency."""
