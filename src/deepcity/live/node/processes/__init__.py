"""Processes beside a node: how they are started and end, and what is handed to them and back."""
