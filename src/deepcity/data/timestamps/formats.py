"""Parses times from text, and detects the pattern of a column."""

import polars as pl

from deepcity.data.config.time_settings import TimeSettings

EPOCHS = {"epoch_s": 1.0, "epoch_ms": 0.001}

PATTERNS = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%M%#z",
    "%Y-%m-%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y.%m.%d %H:%M",
    "%Y%m%d%H%M",
    "%Y%m%d%H",
    "%Y-%m-%d %H",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H",
    "%m/%d/%Y %H",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y %H:%M:%S",
    "%d-%m-%Y %H:%M",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%d/%m/%Y %I:%M:%S %p",
)
"""Patterns that are tried, in this order, where a city file states none."""

_MIDNIGHT = r"(?:[ T]24:00(?::00)?|[ T]24|^\d{8}24)$"  # hour 24 of a day is hour 0 of the next
_SAMPLE = 400
YEARS = (1900, 2199)  # the parser also accepts 31/12/20 as a date of the year 31


def parse_times(texts: pl.Series, pattern: str) -> pl.Series:
    """Texts -> Datetime (in UTC where the pattern has an offset, else naive); null if no match.

    A `*` at the end of the pattern allows any text after it, e.g. ``%H:%M*`` for ``6:00-6:59``.

    Raises:
        PolarsError: if the pattern itself cannot be used.
    """
    late = texts.str.contains(_MIDNIGHT).fill_null(value=False)
    day_early = texts.str.replace(r"24(:00(?::00)?)?$", "00$1") if late.any() else texts
    source = pl.select(pl.when(late).then(day_early).otherwise(texts)).to_series()
    loose = pattern.endswith("*")
    pattern = pattern.removesuffix("*")
    if "%H" in pattern and "%M" not in pattern:  # the parser needs minutes with hours
        source, pattern = source + ":00", pattern + ":%M"
    times = source.str.strptime(pl.Datetime("us"), pattern, strict=False, exact=not loose)
    times = times.set(~times.dt.year().is_between(*YEARS), None)
    return (
        times
        + pl.select(pl.when(late).then(pl.duration(days=1)).otherwise(pl.duration())).to_series()
    )


def find_pattern(texts: pl.Series) -> str | None:
    """The first pattern that matches every text, or None.

    Where day and month could be either way round, the order that keeps rows sorted is preferred.
    """
    return next(iter(_matching_patterns(texts)), None)


def majority_pattern(texts: pl.Series) -> str | None:
    """The pattern that matches most texts, if over half of them: the others are mistakes."""
    known = texts.drop_nulls()
    read = {pattern: len(known) - parse_times(known, pattern).null_count() for pattern in PATTERNS}
    best = max(read, key=lambda pattern: read[pattern])
    return best if 2 * read[best] > len(known) else None


def _matching_patterns(texts: pl.Series) -> list[str]:
    """Every pattern that matches every text; those that keep rows sorted come first."""
    known = texts.drop_nulls()
    sample = pl.concat([known.head(_SAMPLE), known.tail(_SAMPLE)])
    fitting = [pattern for pattern in PATTERNS if _matches_all(sample, pattern)]
    fitting = [pattern for pattern in fitting if _matches_all(known, pattern)]
    in_order = [pattern for pattern in fitting if parse_times(known, pattern).is_sorted()]
    return list(dict.fromkeys(in_order + fitting))


def _matches_all(texts: pl.Series, pattern: str) -> bool:
    return len(texts) > 0 and parse_times(texts, pattern).null_count() == 0


def pin_format(time: TimeSettings, frame: pl.DataFrame) -> TimeSettings:
    """The settings with a format detected in these rows, if none is stated and times are text."""
    pattern = find_pattern(joined_times(frame, time)) if _needs_format(time, frame) else None
    return time if pattern is None else time.model_copy(update={"format": pattern})


def is_format_ambiguous(time: TimeSettings, frame: pl.DataFrame) -> bool:
    """Whether several patterns match all of these rows, so that more rows must decide."""
    return _needs_format(time, frame) and len(_matching_patterns(joined_times(frame, time))) > 1


def _needs_format(time: TimeSettings, frame: pl.DataFrame) -> bool:
    """Whether times are text and no format is stated."""
    if time.format is not None or not time.names or set(time.names) - set(frame.columns):
        return False
    return len(time.names) > 1 or frame.schema[time.names[0]] == pl.String


def joined_times(frame: pl.DataFrame, time: TimeSettings) -> pl.Series:
    """The time columns as one; several are joined as text, by a space."""
    parts = [frame[name] for name in time.names]
    if len(parts) == 1:
        return parts[0].str.strip_chars() if parts[0].dtype == pl.String else parts[0]
    texts = [pl.col(part.name).cast(pl.String).str.strip_chars() for part in parts]
    return frame.select(pl.concat_str(texts, separator=" ").alias("time")).to_series()
