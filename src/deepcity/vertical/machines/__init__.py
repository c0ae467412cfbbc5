"""Vertical training between machines: an agency's end, and the application's."""
