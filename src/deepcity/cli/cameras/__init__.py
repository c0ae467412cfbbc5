"""Cameras: the networks that look through them, and what they saw."""
