"""Rows that are events: each at a position of its own, and nothing measured there."""

import re
from collections.abc import Sequence

import polars as pl

MIN_ROWS = 100
MOSTLY = 0.9  # share of rows, or of times that several rows have
FEW = 0.25  # share of rows: codes have fewer values than that
_LAT, _LON = r"(?i)(lat|latitude|위도)", r"(?i)(lon|lng|long|longitude|경도)"


def position_columns(frame: pl.DataFrame) -> tuple[str, str] | None:
    """The columns of latitudes and longitudes, by name and range; None where there are none."""
    found = []
    for words, most in ((_LAT, 90), (_LON, 180)):
        named = [name for name in frame.columns if re.fullmatch(words, name.strip())]
        if len(named) != 1:
            return None
        degrees = frame[named[0]].cast(pl.Float64, strict=False)
        within = (degrees.abs() <= most) & (degrees.abs() > 0)
        if (within.cast(pl.Float64).fill_null(0).mean() or 0) < MOSTLY:  # type: ignore[operator]
            return None
        found.append(named[0])
    return found[0], found[1]


def are_events(frame: pl.DataFrame, keys: Sequence[str]) -> bool:
    """Whether rows have positions that are no place's, and no numbers beside codes.

    Several sensors measure at the same positions again and again, and a number that is measured
    has many values or fractions; neither is so of events.
    """
    position = position_columns(frame)
    if position is None or frame.height < MIN_ROWS:
        return False
    spots = frame.select(position).n_unique()
    times = frame.select(keys).n_unique()
    others = [name for name in frame.columns if name not in (*position, *keys)]
    cells = [frame[name].cast(pl.Float64, strict=False) for name in others]
    numbers = [one for one in cells if one.null_count() < (1 - MOSTLY) * frame.height]
    # sensors would fill most pairs of a spot and a time
    scattered = frame.height < FEW * spots * times and spots > FEW * frame.height**0.5
    return scattered and all(_are_codes(one, frame.height) for one in numbers)


def _are_codes(numbers: pl.Series, rows: int) -> bool:
    """Whether numbers are whole, not negative, and few beside the rows."""
    known = numbers.cast(pl.Float64, strict=False).drop_nulls()
    whole = bool(((known >= 0) & (known == known.floor())).all())
    return whole and known.n_unique() < FEW * rows
