"""Headers that are hours: 00-01시 .. 23-24시, 01시 .. 24시, 0 .. 23, HR01 .. HR24, 00:00 .. 23:30.

A table with a row a day has its hours as columns; `time.hour_columns` reads it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from deepcity.city.clock import DAY_S

LEAST = 12  # columns in a row that make them hours
HOUR_S = 3600
_STEPS_S = (HOUR_S, 1800, 900)
_MOMENT = r"(\d{1,2})(?::(\d\d))?(?::00)?"
_RANGE = re.compile(rf"{_MOMENT}\s*(?:시|h)?\s*[-~∼〜–_]\s*{_MOMENT}\s*(?:시|h)?(?:간대?)?", re.I)
_ONE = re.compile(
    rf"(h|hr|hour|he|시간대?)?[ _]?{_MOMENT}\s*(시|h|hr|hour|시간|시간대)?(?:\s*\(.*\))?", re.I
)


@dataclass(frozen=True)
class HourHeaders:
    """Columns next to each other that hold the hours (or parts of hours) of a day.

    Attributes:
        columns: their names.
        starts_s: seconds after midnight at which the first one's interval begins.
        step_s: length of each interval.
        sure: whether the headers show when an interval begins; 5시 .. 23시 do not.
        bare: whether they are numbers alone, which places may be too.
    """

    columns: tuple[str, ...]
    starts_s: int
    step_s: int
    sure: bool
    bare: bool

    @property
    def starts(self) -> str:
        """`starts_s` as a city file has it."""
        return f"{self.starts_s // HOUR_S:02d}:{self.starts_s % HOUR_S // 60:02d}"


@dataclass(frozen=True)
class _Header:
    """One header: its time of day in seconds, and how it is written."""

    at_s: int
    kind: str  # range, one, end or bare


def find_hours(names: Sequence[str]) -> HourHeaders | None:
    """The longest run of columns whose headers are hours in a row, or None."""
    found = [_header(name) for name in names]
    best: tuple[int, int, int] = (0, 0, 0)
    for step_s in _STEPS_S:
        start = 0
        for n in range(1, len(found) + 1):
            if n < len(found) and _follow(found[n - 1], found[n], step_s):
                continue
            if n - start > best[0] and n - start >= LEAST * HOUR_S // step_s:
                best = (n - start, start, step_s)
            start = n
    count, start, step_s = best
    return _hours(names[start : start + count], found[start], step_s) if count else None


def _hours(names: Sequence[str], first: _Header | None, step_s: int) -> HourHeaders:
    assert first is not None
    last_s = first.at_s + (len(names) - 1) * step_s
    whole_day = first.at_s == 0 or (first.at_s == step_s and last_s == DAY_S)
    ends = first.kind == "end" or (first.at_s == step_s and last_s == DAY_S)
    starts_s = first.at_s - step_s * (ends and first.kind != "range")
    sure = first.kind in {"range", "end"} or whole_day
    return HourHeaders(tuple(names), starts_s, step_s, sure, first.kind == "bare")


def _header(name: str) -> _Header | None:
    text = name.strip()
    if found := _RANGE.fullmatch(text):
        return _Header(_seconds(found[1], found[2]), "range")
    found = _ONE.fullmatch(text)
    if found is None:
        return None
    before, after = (found[1] or "").lower(), found[4]
    if before == "he":
        return _Header(_seconds(found[2], found[3]), "end")
    bare = not before and not after and found[3] is None
    return _Header(_seconds(found[2], found[3]), "bare" if bare else "one")


def _seconds(hour: str, minute: str | None) -> int:
    return int(hour) * HOUR_S + int(minute or 0) * 60


def _follow(one: _Header | None, other: _Header | None, step_s: int) -> bool:
    if one is None or other is None or one.kind != other.kind:
        return False
    return other.at_s - one.at_s == step_s and other.at_s < 30 * HOUR_S
