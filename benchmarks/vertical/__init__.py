"""Agencies of one city meeting at a hidden layer, on real records."""
