"""What sources have in common whose rows come to a running city, and are kept in a file of it."""

import re
from datetime import time as clock_time
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator, model_validator

from deepcity.data.config.duration import Duration
from deepcity.data.config.source import Layout, SourceSettings
from deepcity.data.config.time_settings import Duplicates, Stamp, TimeSettings
from deepcity.data.config.toml_file import wrong
from deepcity.data.connectors.csv import CsvSettings

FOLDER = "received"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S%z"
"""How times are kept, whatever they came as: in UTC, with the offset written out."""
_FILE_NAME = re.compile(r"[\w-]{1,100}")


class FeedSettings(SourceSettings):
    """Settings of all formats whose rows come to a running city (`deepcity up`).

    Rows are kept in a CSV file, which training and `data check` read as any other. They are
    long: one row per time and place.

    Attributes:
        path: of that file; by default ``received/NAME.csv`` beside the city file.
        max_mb: its size; beyond it the older half of the rows is dropped. A node keeps what it
            has read as events all the same.
        max_age: rows older than this when they come are refused.
        max_ahead: so are those that are further ahead, as a wrong clock or year makes them.
    """

    layout: Layout = Layout.LONG
    place: str | None = "place"
    time: TimeSettings | None = TimeSettings(column="time", duplicates=Duplicates.LAST)
    path: str = ""
    max_mb: float = Field(default=64, gt=0)
    max_age: Duration = timedelta(days=400)
    max_ahead: Duration = timedelta(days=1)

    @property
    def is_feed(self) -> bool:
        """As in `SourceSettings`."""
        return True

    @field_validator("time")
    @classmethod
    def _last_row_counts(cls, time: TimeSettings | None) -> TimeSettings | None:
        """A row that comes again corrects the one before, unless the file says otherwise."""
        if time is None:
            return None
        if time.start is not None or time.hour_columns is not None:
            raise wrong("a row that comes states its time", "name its column", "column")
        if "duplicates" not in time.model_fields_set:
            return time.model_copy(update={"duplicates": Duplicates.LAST})
        if time.duplicates is Duplicates.ERROR:
            right = "choose last (a row that comes again corrects), first, mask or sum"
            raise wrong("rows may come twice", right, "duplicates")
        return time

    @model_validator(mode="after")
    def _long_and_named(self) -> "FeedSettings":
        if self.layout is not Layout.LONG:
            right = "send one row per time and place, and leave layout out"
            raise wrong("rows that come to a running city are long", right, "layout")
        if not _FILE_NAME.fullmatch(self.name):
            right = "use letters, digits, - and _: it names a file and a route"
            raise wrong("not fit for a file's name", right, "name")
        return self

    @property
    def time_as_read(self) -> TimeSettings | None:
        """As in `SourceSettings`: kept rows have their time in one column, in one form."""
        if self.time is None:
            return None
        changes: dict[str, Any] = {
            "column": self.time.names[0],
            "columns": (),
            "format": TIME_FORMAT,
            "day_starts": clock_time(0),
        }
        if self.time.stamp is Stamp.WALL_END:  # the start is kept
            changes["stamp"] = Stamp.START
        return self.time.model_copy(update=changes)

    def spool_path(self, folder: Path) -> Path:
        """The file that keeps its rows.

        Args:
            folder: where relative paths start.
        """
        return folder / (self.path or f"{FOLDER}/{self.name}.csv")

    def as_csv(self) -> CsvSettings:
        """The same as a source of rows kept; its path is relative as here."""
        common: dict[str, Any] = {
            key: getattr(self, key) for key in SourceSettings.model_fields if key != "format"
        }
        path = self.path or f"{FOLDER}/{self.name}.csv"
        return CsvSettings.model_construct(**common, path=path)
