"""Agencies of one city learn together at a hidden layer, and no row leaves its agency."""
