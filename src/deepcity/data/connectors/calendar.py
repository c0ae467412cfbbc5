"""A calendar: holidays and days off, one row per day, generated from a country's holidays.

A calendar is an agency like any other, whose future values are known.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import model_validator

from deepcity.data.config.holidays import HolidayCalendar, holiday_dates
from deepcity.data.config.source import SourceSettings
from deepcity.data.config.toml_file import wrong
from deepcity.data.connectors import RawTable

_SATURDAY, _SUNDAY = 5, 6
COLUMNS = ("date", "rest", "saturday", "holiday", "eve", "after", "bridge", "season")


class CalendarSettings(SourceSettings):
    """Keys of a calendar.

    Attributes:
        country: whose holidays, e.g. ``IT`` or ``IT-TS``.
        first, last: the days it covers.
    """

    format: Literal["calendar"] = "calendar"
    country: HolidayCalendar
    first: date
    last: date

    @model_validator(mode="after")
    def _in_order(self) -> "CalendarSettings":
        if self.first > self.last:
            raise wrong("the last day is before the first", "write a later day", "last")
        return self


class CalendarConnector:
    """Makes the rows of a calendar."""

    name = "calendar"
    suffixes = ()
    settings = CalendarSettings

    def check(self, source: CalendarSettings, folder: Path) -> None:
        """Nothing to check: the rows are generated."""

    def read(self, source: CalendarSettings, folder: Path) -> RawTable:
        """One row per day, numbered from 1."""
        days = (source.last - source.first).days + 1
        dates = [source.first + timedelta(days=day) for day in range(days)]
        off = holiday_dates(source.country)
        rows = [(day.isoformat(), *_day_features(day, off)) for day in dates]
        return RawTable(pl.DataFrame(rows, schema=list(COLUMNS), orient="row"), 1)

    def batches(
        self, source: CalendarSettings, folder: Path, columns: Sequence[str]
    ) -> Iterator[RawTable]:
        """All rows in one batch."""
        table = self.read(source, folder)
        yield RawTable(table.frame.select(columns), table.first_row)

    def columns(self, source: CalendarSettings, folder: Path) -> list[str]:
        """Names of the columns."""
        return list(COLUMNS)


def _day_features(day: date, off: frozenset[date]) -> tuple[float, ...]:
    """The flags of `COLUMNS` for a day (1 or 0), and the season, up to 1 in mid July."""

    def is_rest_day(other: date) -> bool:
        return other in off or other.weekday() == _SUNDAY

    before, after = day - timedelta(days=1), day + timedelta(days=1)
    work = not is_rest_day(day) and day.weekday() != _SATURDAY
    middle = is_rest_day(before) or before.weekday() == _SATURDAY
    middle = middle and (is_rest_day(after) or after.weekday() == _SATURDAY)
    flags = (
        is_rest_day(day),
        day.weekday() == _SATURDAY and day not in off,
        day in off,
        work and after in off,
        work and before in off,
        work and middle,
    )
    season = 1 - abs(day.timetuple().tm_yday - 200) / 91.5  # warmest in mid July
    return (*map(float, flags), season)


CONNECTOR = CalendarConnector()
