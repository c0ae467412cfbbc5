"""Columns of hours as rows: a row a day becomes a row an hour, as `time.hour_columns` states."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import polars as pl

from deepcity.data.config.time_settings import HOUR, VALUE, HourColumns, seconds_of_day
from deepcity.data.config.toml_file import did_you_mean
from deepcity.data.errors import ReadError
from deepcity.data.findings import NO_COLUMN

if TYPE_CHECKING:
    from deepcity.data.config.source import SourceSettings

_LAST_S = 30 * 3600  # an operating day may reach into the next one's early hours


def hours_of(source: "SourceSettings") -> HourColumns | None:
    """What a source states of its columns of hours, or None."""
    return None if source.time is None else source.time.hour_columns


def with_hour_columns(names: Sequence[str], hours: HourColumns) -> list[str]:
    """The columns of a table once its hours are rows.

    Raises:
        ReadError: if the columns named are not there, or not in this order.
    """
    own = set(columns_between(names, hours))
    return [*(name for name in names if name not in own), HOUR, VALUE]


def columns_between(names: Sequence[str], hours: HourColumns) -> list[str]:
    """The columns of the hours, in the order of the file.

    Raises:
        ReadError: if the columns named are not there, or not in this order.
    """
    key = "time.hour_columns"
    for name in (hours.first, hours.last):
        if name not in names:
            right = did_you_mean(name, list(names))
            raise ReadError(key, name, "no such column", right, NO_COLUMN)
    first, last = names.index(hours.first), names.index(hours.last)
    if first >= last:
        reason = f"the last column stands before {hours.first!r}"
        raise ReadError(key, hours.last, reason, "name the first and the last hour's column")
    return list(names[first : last + 1])


def hour_texts(columns: int, hours: HourColumns, step_s: int) -> list[str]:
    """The time of day at which each column's interval begins; 24:00 and later is the next day.

    Raises:
        ReadError: if they reach beyond the early hours of the next day.
    """
    starts_s = seconds_of_day(hours.starts)
    if starts_s + columns * step_s > _LAST_S:
        reason = f"{columns} columns, {step_s // 60} minutes each from {hours.starts:%H:%M} on"
        right = "see that only hours stand between them, and state time.step if they are shorter"
        raise ReadError("time.hour_columns", hours.last, reason, right)
    at = [starts_s + n * step_s for n in range(columns)]
    return [f"{moment // 3600:02d}:{moment % 3600 // 60:02d}" for moment in at]


def hour_rows(
    frame: pl.DataFrame, columns: Sequence[str], texts: Sequence[str], max_rows: int
) -> Iterator[pl.DataFrame]:
    """A row for each hour of each row, in the order of the file, `max_rows` or fewer at a time."""
    cells = frame.select(columns)
    if len(set(cells.dtypes)) > 1:
        frame = frame.with_columns(cells.cast(pl.String))
    empty = pl.all_horizontal(pl.all().is_null())
    no_hour = pl.lit(None, dtype=pl.String)
    hours = pl.concat_list(pl.when(empty).then(no_hour).otherwise(pl.lit(one)) for one in texts)
    for part in frame.iter_slices(max(1, max_rows // len(columns))):
        lists = part.with_columns(hours.alias(HOUR), pl.concat_list(columns).alias(VALUE))
        yield lists.drop(columns).explode(HOUR, VALUE)
