"""Parses times from text by a pattern, and joins the columns that hold a time.

Patterns are those of `strptime`, read as people write: see `canonical`. Numbers that count from
a day have formats with names: see `NUMBERS`.
"""

import re
from dataclasses import dataclass

import polars as pl

from deepcity.city.clock import DAY_S
from deepcity.data.config.time_settings import TimeSettings
from deepcity.data.timestamps.canonical import canonical


@dataclass(frozen=True)
class NumberFormat:
    """Times that are numbers.

    Attributes:
        unit_s: seconds that 1 stands for.
        zero_s: seconds since 1970 that 0 stands for.
        wall: whether they are times of a wall clock, else of UTC.
    """

    unit_s: float
    zero_s: int
    wall: bool


NUMBERS = {
    "epoch_s": NumberFormat(1.0, 0, wall=False),
    "epoch_ms": NumberFormat(0.001, 0, wall=False),
    "excel_serial": NumberFormat(DAY_S, -25_569 * DAY_S, wall=True),
}
"""Formats of times that are numbers, by name."""

_DATES = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y년 %m월 %d일",
    "%Y%m%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d.%m.%Y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%d. %b %Y",
    "%b %d, %Y",
    "%b %d %Y",
    "%d/%b/%Y",
    "%y-%m-%d",
    "%y/%m/%d",
    "%y.%m.%d",
    "%y년 %m월 %d일",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d-%m-%y",
    "%m-%d-%y",
    "%d.%m.%y",
    "%d-%b-%y",
)
_TIMES = (
    " %H:%M:%S%.f",
    " %H:%M",
    "",
    " %H",
    " %I:%M:%S %p",
    " %I:%M %p",
    " %I %p",
    " %p %I:%M:%S",
    " %p %I:%M",
    " %H시",
    " %H시 %M분",
    " %H시 %M분 %S초",
    " %p %I시",
    " %p %I시 %M분",
    " %p %I시 %M분 %S초",
    " %H.%M",
    " %I.%M.%S %p",
    " %Hh%M",
)
PATTERNS = (
    *(date + time for time in _TIMES[:3] for date in _DATES),
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M%#z",
    "%Y-%m-%d %H:%M%#z",
    "%Y%m%dT%H%M%S%#z",
    "%Y%m%dT%H%M%S",
    "%Y%m%d%H%M%S",
    "%Y%m%d%H%M",
    "%Y%m%d%H",
    *(date + time for time in _TIMES[3:] for date in _DATES),
)
"""Patterns that are tried, in this order, where a city file states none."""

_COMPACT = re.compile(r"%[a-zA-Z]%[a-zA-Z]")
_LONG_YEAR = r"^[^:]*\d{3}"  # the parser also accepts 04-01-2015 as %d-%m-%y %H, at 15 o'clock
YEARS = (1900, 2199)  # the parser also accepts 31/12/20 as a date of the year 31


def parse_times(texts: pl.Series, pattern: str) -> pl.Series:
    """Texts -> Datetime (in UTC where the pattern has an offset, else naive); null if no match.

    A `*` at the end of the pattern allows any text after it, e.g. ``%H:%M*`` for ``6:00-6:59``.

    Raises:
        PolarsError: if the pattern itself cannot be used.
    """
    return parse_with_late(texts, pattern)[0]


def parse_with_late(texts: pl.Series, pattern: str) -> tuple[pl.Series, pl.Series]:
    """As `parse_times`, and where an hour of 24 to 29 was written under the day before."""
    times = _strptime(texts, pattern)
    if times.null_count() == texts.null_count():
        return times, pl.Series([False]).new_from_index(0, len(texts))
    plain = canonical(texts, pattern)
    late = plain.late & times.is_null()
    again = _strptime(plain.texts, plain.pattern)
    frame = pl.DataFrame({"first": times, "again": again, "late": late})
    day = pl.when(pl.col("late")).then(pl.duration(days=1)).otherwise(pl.duration())
    both = pl.coalesce("first", pl.col("again") + day)
    return frame.select(both).to_series(), late


def _strptime(texts: pl.Series, pattern: str) -> pl.Series:
    loose = pattern.endswith("*")
    pattern = pattern.removesuffix("*")
    if "%y" in pattern and not _COMPACT.search(pattern):
        texts = texts.set(texts.str.contains(_LONG_YEAR), None)
    if ("%H" in pattern or "%I" in pattern) and "%M" not in pattern:
        texts, pattern = texts + ":00", pattern + ":%M"  # the parser needs minutes with hours
    times = texts.str.strptime(pl.Datetime("us"), pattern, strict=False, exact=not loose)
    return times.set(~times.dt.year().is_between(*YEARS), None)


def joined_times(frame: pl.DataFrame, time: TimeSettings) -> pl.Series:
    """The time columns as one; several are joined as text, by a space.

    A midnight after the dates of the first column, as workbooks have it, is left out then.
    """
    parts = [frame[name] for name in time.names]
    if len(parts) == 1:
        return parts[0].str.strip_chars() if parts[0].dtype == pl.String else parts[0]
    texts = [pl.col(part.name).cast(pl.String).str.strip_chars() for part in parts]
    texts[0] = texts[0].str.replace(r"[ T]00:00(?::00(?:\.0+)?)?$", "")
    return frame.select(pl.concat_str(texts, separator=" ").alias("time")).to_series()
