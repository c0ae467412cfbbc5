"""Logs within a limit: of lines of one kind, some a minute; the rest are counted."""

import copy
import logging
import time
from collections.abc import Callable
from typing import Any

from uvicorn.config import LOGGING_CONFIG

_MINUTE_S = 60.0
_MOST_KINDS = 200


class LogRate(logging.Filter):
    """Lets `most` lines of a kind pass each minute; a kind is a logger and a line's template.

    The first line of a later minute says how many were left out.

    Args:
        most: lines of a kind a minute.
        clock: seconds.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._most, self._clock = most, clock
        self._kinds: dict[tuple[str, str], tuple[float, int]] = {}  # -> minute's start, lines

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line passes."""
        kind, now = (record.name, str(record.msg)[:100]), self._clock()
        start, lines = self._kinds.pop(kind, (now, 0))
        left_out = 0
        if now - start >= _MINUTE_S:
            start, left_out, lines = now, max(0, lines - self._most), 0
        self._kinds[kind] = (start, lines + 1)  # the newest is last
        if len(self._kinds) > _MOST_KINDS:
            del self._kinds[next(iter(self._kinds))]
        if left_out:
            record.msg = f"{record.getMessage()} ({left_out:,} more like it were left out)"
            record.args = ()
        return lines < self._most


def log_settings(lines_a_minute: int) -> dict[str, Any]:
    """Uvicorn's settings of logs, for the loop's and the house's own too, within a limit."""
    found = copy.deepcopy(LOGGING_CONFIG)
    found["filters"] = {"rate": {"()": LogRate, "most": lines_a_minute}}
    for handler in found["handlers"].values():
        handler["filters"] = ["rate"]
    for name in ("asyncio", "deepcity"):
        found["loggers"][name] = {"handlers": ["default"], "level": "WARNING", "propagate": False}
    return found
