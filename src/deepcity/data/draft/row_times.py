"""The time of each row of a table that is looked at.

Shapes: R rows.
"""

import numpy as np
import polars as pl

from deepcity.city.arrays import Ints
from deepcity.data.config.time_settings import TimeSettings
from deepcity.data.config.toml_file import Raw
from deepcity.data.timestamps.formats import NUMBERS, joined_times, parse_with_late


def row_times(frame: pl.DataFrame, source: Raw) -> pl.Series | None:
    """Times as a source's settings read them; None where it has none, or another type."""
    settings = TimeSettings.model_validate(source["time"])
    if not settings.names:
        return None
    times = joined_times(frame, settings)
    number = NUMBERS.get(settings.format or "")
    if number is not None:
        seconds = times.cast(pl.Float64, strict=False) * number.unit_s + number.zero_s
        return (seconds * 1e6).cast(pl.Int64, strict=False).cast(pl.Datetime("us"))
    if times.dtype == pl.String and settings.format is not None:
        times = parse_with_late(times, settings.format)[0]
    return times if times.dtype in (pl.Date, pl.Datetime) else None


def row_seconds(frame: pl.DataFrame, source: Raw) -> Ints:
    """Seconds of each row, (R,); empty where a time is unknown."""
    times = row_times(frame, source)
    if times is None or times.null_count():
        return np.empty(0, dtype=np.int64)
    return times.cast(pl.Datetime("us")).dt.epoch("s").to_numpy()


def row_days(frame: pl.DataFrame, source: Raw) -> Ints:
    """The day of each row as a number, (R,); rows of an unknown time are days of their own."""
    times = row_times(frame, source)
    if times is None:
        return np.arange(frame.height)
    return times.dt.date().cast(pl.Int32).fill_null(-1).to_numpy().astype(np.int64)
