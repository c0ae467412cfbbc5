"""Durations as people write them: 30s, 5min, 1h, 1d."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

from deepcity.data.config.toml_file import wrong

_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}


def parse_duration(text: object) -> timedelta:
    """Parse a positive whole number with a unit.

    >>> parse_duration("15min")
    datetime.timedelta(seconds=900)

    Raises:
        PydanticCustomError: if the text is not a duration.
    """
    found = re.fullmatch(r"\s*(\d+)\s*(s|min|h|d)\s*", text) if isinstance(text, str) else None
    if found is None or int(found[1]) == 0:
        raise wrong("not a duration", "write a whole number and s, min, h or d, e.g. 15min or 1h")
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def duration_text(seconds: int) -> str:
    """Seconds in the largest unit that divides them.

    >>> duration_text(900)
    '15min'
    """
    unit = max((unit for unit in _UNITS if seconds % _UNITS[unit] == 0), key=_UNITS.__getitem__)
    return f"{seconds // _UNITS[unit]}{unit}"


def _parse(value: Any) -> Any:  # noqa: ANN401 - pydantic passes whatever the file holds
    return value if isinstance(value, timedelta) else parse_duration(value)


Duration = Annotated[timedelta, BeforeValidator(_parse)]
"""A timedelta that a TOML file writes as text."""
