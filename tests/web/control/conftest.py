"""Fixtures: a little city and its node; an invented city, and its page in a browser."""

from control_room_fixtures import address, browser, city, room  # noqa: F401
from live_city import open_node, trained  # noqa: F401
