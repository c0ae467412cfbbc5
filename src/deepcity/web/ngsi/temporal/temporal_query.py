"""What a temporal query asks for (NGSI-LD 4.11, 4.5.19): which span, how many, aggregated how."""

import re
from dataclasses import dataclass
from datetime import datetime

from deepcity.web.ngsi.problems import bad

MOST_INSTANCES = 100_000
"""Values in one answer."""
_DURATION = re.compile(
    r"P(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?"
)
_UNITS_S = (604_800, 86_400, 3600, 60, 1)
METHODS = (
    "totalCount", "distinctCount", "sum", "avg", "min", "max", "stddev", "sumsq",
)  # fmt: skip
_EVER = 1 << 40


@dataclass(frozen=True)
class TemporalQuery:
    """A span and how it is shown.

    Attributes:
        since_s, until_s: since_s <= time < until_s, UTC seconds.
        last: newest instances of each attribute; None: all.
        methods: of aggregation; empty: instances.
        period_s: of one aggregated value; 0: the whole span.
    """

    since_s: int = 0
    until_s: int = _EVER
    last: int | None = None
    methods: tuple[str, ...] = ()
    period_s: int = 0

    @property
    def bounded(self) -> bool:
        """Whether a span was asked for."""
        return self.since_s > 0 or self.until_s < _EVER


def temporal_query(
    timerel: str | None,
    time_at: str | None,
    end_time_at: str | None,
    last_n: int | None = None,
    methods: str | None = None,
    period: str | None = None,
    timeproperty: str = "observedAt",
) -> TemporalQuery:
    """The query of a request's parameters.

    Raises:
        NgsiError: with the parameter that cannot be read.
    """
    if timeproperty != "observedAt":
        raise bad("timeproperty", timeproperty, "not kept here", "ask for observedAt")
    since_s, until_s = 0, _EVER
    if timerel is None:
        if time_at is not None or end_time_at is not None:
            raise bad("timerel", "", "missing", "give before, after or between")
    elif timerel not in ("before", "after", "between"):
        raise bad("timerel", timerel, "not known", "give before, after or between")
    elif time_at is None:
        raise bad("timeAt", "", "missing", "give a time such as 2024-05-01T00:00:00Z")
    else:
        at_s = second_of(time_at, "timeAt")
        since_s, until_s = (0, at_s) if timerel == "before" else (at_s + 1, _EVER)
    if timerel == "between":
        if end_time_at is None:
            raise bad("endTimeAt", "", "missing", "between is from timeAt to endTimeAt")
        since_s, until_s = since_s - 1, second_of(end_time_at, "endTimeAt")
        if until_s <= since_s:
            raise bad("endTimeAt", end_time_at, "not after timeAt", "give a later time")
    elif end_time_at is not None:
        raise bad("endTimeAt", end_time_at, f"not of timerel={timerel}", "give it with between")
    asked = _methods(methods)
    return TemporalQuery(since_s, until_s, last_n, asked, duration_s(period) if period else 0)


def second_of(text: str, name: str) -> int:
    """A time with its offset as UTC seconds since 1970; the past before that counts as 1970.

    >>> second_of("1970-01-01T09:00:01+09:00", "timeAt")
    1

    Raises:
        NgsiError: if it is none.
    """
    right = "write e.g. 2024-05-01T00:00:00Z"
    if len(text) > 40:
        raise bad(name, text, "no time", right)
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise bad(name, text, "no time", right) from error
    if found.tzinfo is None:
        raise bad(name, text, "without Z or an offset", right)
    since = found.replace(tzinfo=None) - datetime(1970, 1, 1)  # noqa: DTZ001 - moved below
    offset = found.utcoffset()
    assert offset is not None
    return min(max(int((since - offset).total_seconds()), 0), _EVER)


def duration_s(text: str) -> int:
    """A duration of ISO 8601 in seconds; months and years have no fixed length.

    >>> duration_s("PT1H"), duration_s("P1D"), duration_s("PT0S")
    (3600, 86400, 0)

    Raises:
        NgsiError: if it is none.
    """
    found = _DURATION.fullmatch(text) if len(text) <= 40 else None
    if found is None or not any(found.groups()):
        right = "write e.g. PT15M, PT1H, P1D or P1W"
        raise bad("aggrPeriodDuration", text, "no duration of fixed length", right)
    parts = zip(found.groups(), _UNITS_S, strict=True)
    return sum(int(number or 0) * unit for number, unit in parts)


def _methods(text: str | None) -> tuple[str, ...]:
    found = tuple(dict.fromkeys((text or "").split(","))) if text else ()
    for one in found:
        if one not in METHODS:
            raise bad("aggrMethods", one, "not known", f"give some of {', '.join(METHODS)}")
    return found
