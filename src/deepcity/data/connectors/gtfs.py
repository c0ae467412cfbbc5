"""Timetables of public transport by GTFS Schedule: departures by stop, station or route."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from pydantic import Field, field_validator, model_validator

from deepcity.city.arrays import Ints
from deepcity.data import connectors
from deepcity.data.config.source import Layout
from deepcity.data.config.time_settings import TimeSettings
from deepcity.data.config.toml_file import wrong
from deepcity.data.connectors import RawTable
from deepcity.data.connectors.many_files import FileSettings
from deepcity.data.file_state import file_state
from deepcity.data.gtfs.feed_files import check_feed, feed_path, files_of_folder, opened_feed
from deepcity.data.gtfs.service_days import days_within
from deepcity.data.gtfs.timetable import By, Timetable, read_timetable

_OWN = ("departures", "name", "lat", "lon")
_STEP = timedelta(minutes=15)
_MOST_DAYS = 1100
_TIME_KEYS = {"column", "step", "duplicates"}


class GtfsSettings(FileSettings):
    """Keys of a GTFS source: a row for each place and step of the days that it covers.

    `path` is a zip file, or a folder of the files. Columns are `time`, `place` (or as `time` and
    `place` name them), `departures` (0 where none is planned), and the place's `name`, `lat` and
    `lon`. `time.step` is that of the rows.

    Attributes:
        by: what a place is: a ``stop``, a ``station`` (stops of one parent station together), or
            a ``route``, whose departures are trips that begin.
        first, last: service days that are read; by default all that the feed covers.
        broken_rows: ``error`` refuses a feed with rows that cannot be used; ``drop`` leaves these
            out.
        max_unpacked_mb: size of the feed's files.
    """

    format: Literal["gtfs"] = "gtfs"
    layout: Layout = Layout.LONG
    place: str | None = "place"
    time: TimeSettings | None = TimeSettings(column="time", step=_STEP)
    by: By = "stop"
    first: date | None = None
    last: date | None = None
    broken_rows: Literal["error", "drop"] = "error"
    max_unpacked_mb: float = Field(default=1000, gt=0)

    @field_validator("time")
    @classmethod
    def _steps_of_hours(cls, time: TimeSettings | None) -> TimeSettings | None:
        """Times are the timetable's; how far apart rows are is free within an hour."""
        time = time or TimeSettings(column="time")
        for key in sorted(time.model_fields_set - _TIME_KEYS):
            raise wrong("a timetable states its times", "remove it", key)
        step_s = (time.step or _STEP).total_seconds()
        if step_s < 60 or 3600 % step_s:
            right = "write 1min, 5min, 15min, 30min or 1h"
            raise wrong("does not divide an hour, or is below 1min", right, "step")
        return time.model_copy(update={"step": timedelta(seconds=step_s)})

    @model_validator(mode="after")
    def _long_with_names_of_their_own(self) -> "GtfsSettings":
        if self.layout is not Layout.LONG:
            right = "leave layout out"
            raise wrong("a timetable has a row a time and place", right, "layout")
        if len({*self.names, *_OWN}) < len(self.names) + len(_OWN):
            right = f"choose names other than {', '.join(_OWN)}"
            raise wrong("two columns of one name", right, "place")
        if self.first is not None and self.last is not None and self.first > self.last:
            raise wrong("the last day is before the first", "write a later day", "last")
        return self

    @property
    def names(self) -> tuple[str, str]:
        """The columns of times and places."""
        assert self.time is not None
        return self.time.names[0], self.place or ""

    def files_at(self, path: str, folder: Path) -> list[Path]:
        """As in `FileSettings`: a folder stands for the feed's files in it."""
        found = feed_path(path, folder)
        return list(files_of_folder(found).values()) if found.is_dir() else [found]


class GtfsConnector:
    """Counts the departures of a timetable."""

    name = "gtfs"
    suffixes = ()
    settings = GtfsSettings

    def check(self, source: GtfsSettings, folder: Path) -> None:
        """Check that the feed has its files, and is not too large."""
        check_feed(str(source.path), folder, source.max_unpacked_mb)

    def read(self, source: GtfsSettings, folder: Path) -> RawTable:
        """All rows, numbered from 1."""
        tables = self.batches(source, folder, self.columns(source, folder))
        return RawTable(pl.concat([table.frame for table in tables]), 1)

    def batches(
        self, source: GtfsSettings, folder: Path, columns: Sequence[str]
    ) -> Iterator[RawTable]:
        """The given columns, in batches of rows: all places of a step, then of the next."""
        found = _timetable(source, folder)
        path = str(source.path)
        days = days_within(found.days, source.first, source.last, path, _MOST_DAYS)
        assert source.time is not None
        assert source.time.step is not None
        row, size = 1, connectors.rows_per_batch(len(columns))
        for time_S, counts_SN in found.daily_counts(found.grid(*days, source.time.step)):
            rows = _rows(source, found.places, time_S, counts_SN).select(columns)
            for frame in rows.iter_slices(size):
                yield RawTable(frame, row)
                row += frame.height

    def columns(self, source: GtfsSettings, folder: Path) -> list[str]:
        """Names of the columns."""
        self.check(source, folder)
        return [*source.names, *_OWN]


def _rows(
    source: GtfsSettings, places: pl.DataFrame, time_S: Ints, counts_SN: Ints
) -> pl.DataFrame:
    time, place = source.names
    which = pl.Series(np.tile(np.arange(places.height), len(time_S)))
    times = pl.Series(time, np.repeat(time_S, places.height)) * 1_000_000
    return places.rename({"place": place})[which].with_columns(
        times.cast(pl.Datetime("us", "UTC")), pl.Series("departures", counts_SN.reshape(-1))
    )


def _timetable(source: GtfsSettings, folder: Path) -> Timetable:
    """The feed's timetable, read once until a file of it changes."""
    path, most = str(source.path), source.max_unpacked_mb
    check_feed(path, folder, most)
    states = tuple((one, file_state(one)) for one in source.files_at(path, folder))
    return _read(path, folder, states, source.by, source.broken_rows == "drop", most)


@lru_cache(maxsize=2)
def _read(path: str, folder: Path, _states: object, by: By, drop: bool, max_mb: float) -> Timetable:
    with opened_feed(path, folder, max_mb) as feed:
        return read_timetable(feed, by, drop=drop)


CONNECTOR = GtfsConnector()
