"""Fixtures: an invented city, and its page in a browser."""

from control_room_fixtures import address, browser, city, room  # noqa: F401
