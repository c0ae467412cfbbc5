"""Fixtures: a little city and its node."""

from live_city import open_node, trained  # noqa: F401
