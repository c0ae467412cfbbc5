"""Fixtures: a little city, its node, and a real PostgreSQL."""

from live_city import open_node, trained  # noqa: F401
from postgres_server import postgres, postgres_url  # noqa: F401
