"""Serving any of our apps: connections, bodies and logs within limits."""
