"""Numbers in results that no run writes: a file with one is damaged, and no page can be made of it.

JSON and pydantic take any number, also one whose square, difference or date does not exist.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from deepcity.city.clock import DAY_S

_MOST = 1e100
"""Of sizes; far beyond what single precision, in which forecasts are made, can hold."""
_MOST_WHOLE = 10**15
FIRST_S, LAST_S = -2_208_988_800, 7_258_118_400
"""1900 and 2200: seconds of every moment lie between."""
_LONGEST_S = 10 * 366 * DAY_S
_LONGEST_STEP_MINUTES = 366 * 24 * 60.0
_MOMENTS = {"times", "at_s", "valid_until_s", "since", "noticed", "back"}


def beyond_bounds(found: dict[str, Any]) -> Iterator[str]:
    """Every number out of bounds as "place in the file = value (why)", one after another: a file
    may be full of them.
    """
    return (f"{where} = {value!r} ({why})" for where, value, why in _walk(found, "", ""))


def _walk(found: object, where: str, key: str) -> Iterator[tuple[str, object, str]]:
    """What is beyond bounds in a value; its place in the file, and the name of what it is in."""
    if isinstance(found, dict):
        for name, one in found.items():
            yield from _walk(one, f"{where}.{name}" if where else str(name), str(name))
    elif isinstance(found, list | tuple):
        for number, one in enumerate(found):
            yield from _walk(one, f"{where}.{number}", key)
        if key == "times":
            yield from _course(found, where)
    elif isinstance(found, int | float) and (why := _why(found, key)):
        yield where, found, why


def _why(value: float, key: str) -> str:
    """Why a number cannot be; empty where it can."""
    if key in _MOMENTS:
        return "" if FIRST_S <= value <= LAST_S else "no second between 1900 and 2200"
    if key == "step_minutes":
        return "" if 0 <= value <= _LONGEST_STEP_MINUTES else "no step of up to a year"
    if isinstance(value, int):
        return "" if abs(value) <= _MOST_WHOLE else f"over {_MOST_WHOLE:g} in size"
    return f"over {_MOST:g} in size" if math.isfinite(value) and abs(value) > _MOST else ""


def _course(times: list[Any] | tuple[Any, ...], where: str) -> Iterator[tuple[str, object, str]]:
    """Times that do not rise, or that reach further than a chart."""
    for number, (before, after) in enumerate(pairwise(times), 1):
        if after <= before:
            yield f"{where}.{number}", after, "not after the time before it"
    if times and times[-1] - times[0] > _LONGEST_S:
        yield where, times[-1] - times[0], "seconds from first to last, more than ten years"
