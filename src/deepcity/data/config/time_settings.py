"""How the times of a source's rows are read, and how ambiguous ones are resolved."""

from datetime import datetime, time, timedelta
from enum import StrEnum
from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, model_validator

from deepcity.city.clock import DAY_S
from deepcity.data.config.duration import Duration
from deepcity.data.config.toml_file import Settings, did_you_mean, wrong


@cache  # all files of the time zone database are looked at
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _known_zone(name: str) -> str:
    if name not in _zones():
        right = did_you_mean(name, ["UTC", "Asia/Seoul", "Europe/Rome", "America/New_York"])
        raise wrong("not a time zone", _zone_hint(name) or right)
    return name


def _zone_hint(name: str) -> str | None:
    city = name.rsplit("/", 1)[-1].lower().replace(" ", "_")
    found = sorted(z for z in _zones() if z.rsplit("/", 1)[-1].lower() == city)
    if not found:
        hint = did_you_mean(name.lower(), sorted(z.lower() for z in _zones()))
        near = hint.partition("'")[2].partition("'")[0] if hint.startswith("did") else ""
        found = [zone for zone in _zones() if zone.lower() == near]
    return f"did you mean {found[0]!r}? Names are those of the IANA list" if found else None


TimeZoneName = Annotated[str, AfterValidator(_known_zone)]


class Ambiguous(StrEnum):
    """How to read a wall time that clocks show twice in autumn."""

    ERROR = "error"
    INFER = "infer"  # first row of that time is the earlier, second the later
    EARLIER = "earlier"
    LATER = "later"
    MASK = "mask"


class Nonexistent(StrEnum):
    """How to treat a wall time that clocks skip in spring."""

    ERROR = "error"
    MASK = "mask"
    SHIFT = "shift"  # read as if the clock had not been put forward


class Duplicates(StrEnum):
    """How to treat several rows for one time (and place)."""

    ERROR = "error"
    MASK = "mask"  # if they differ, their values are masked
    FIRST = "first"
    LAST = "last"
    SUM = "sum"  # parts of one amount, such as IN and OUT, are added up


class Stamp(StrEnum):
    """Which end of its interval a row is stamped with."""

    START = "start"
    END = "end"
    WALL_END = "wall_end"  # the start on the wall clock plus a step: hours numbered 1 to 24


class Weekday(StrEnum):
    """Days of the week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


HOUR, VALUE = "hour of the column", "value of the hour"
"""Columns that stand for the columns of hours once these are rows."""


class HourColumns(Settings):
    """The columns of a table with a row a day that hold its hours, in the order of the file.

    Attributes:
        first: the column of the first hour, e.g. ``01시``.
        last: that of the last one.
        starts: time of day at which the first column's interval begins; a column follows the
            one before by `time.step` (an hour by default).
    """

    first: str
    last: str
    starts: time = time(0)


class TimeSettings(Settings):
    """How times are read: from a column, from several, or counted by row.

    Attributes:
        column: the column that holds the time.
        columns: several columns that hold it together, e.g. a date and an hour.
        format: strptime pattern of the column (of the columns joined by a space), or
            ``epoch_s``, ``epoch_ms`` or ``excel_serial``; by default common patterns are tried.
        start: time of the first row, if there is no time column; rows are then `step` apart.
        step: time between rows; by default the most frequent one found.
        hours: with `start`: first and last time of day with rows; the row after the last one
            of a day is the first of the next day.
        weekdays: with `start`: the only days that have rows.
        zone: zone of times without an offset; by default the city's.
        day_starts: hour at which a date begins, where records use operational days.
        stamp: whether a row is stamped with the start or the end of its interval.
        hour_columns: of a table with a row a day: the columns that hold its hours.
        ambiguous, nonexistent, duplicates: see these enums.
    """

    column: str | None = None
    columns: tuple[str, ...] = ()
    format: str | None = None
    start: datetime | None = None
    step: Duration | None = None
    hours: tuple[time, time] = (time(0), time(0))
    weekdays: tuple[Weekday, ...] = ()
    zone: TimeZoneName | None = None
    day_starts: time = time(0)
    stamp: Stamp = Stamp.START
    hour_columns: HourColumns | None = None
    ambiguous: Ambiguous = Ambiguous.ERROR
    nonexistent: Nonexistent = Nonexistent.ERROR
    duplicates: Duplicates = Duplicates.ERROR

    @model_validator(mode="after")
    def _one_way(self) -> "TimeSettings":
        ways = [self.column is not None, bool(self.columns), self.start is not None]
        if sum(ways) != 1:
            reason = "time must come from a column, from columns, or from a start"
            raise wrong(reason, "give exactly one of column, columns and start")
        if self.start is not None and self.step is None:
            raise wrong("missing", "state how far apart rows are, e.g. step = '5min'", "step")
        return self

    @model_validator(mode="after")
    def _wall_end_has_a_step(self) -> "TimeSettings":
        if self.stamp is Stamp.WALL_END and (self.step is None or self.start is not None):
            right = "state time.step and a column, or choose another stamp"
            raise wrong("needs a stated step and a time column", right, "stamp")
        return self

    @model_validator(mode="after")
    def _hours_have_a_date(self) -> "TimeSettings":
        if self.hour_columns is None:
            return self
        if self.start is not None or self.stamp is not Stamp.START:
            right = "name the column of dates, and state when the first hour starts with 'starts'"
            raise wrong("start and stamp do not go with columns of hours", right, "hour_columns")
        return self

    @model_validator(mode="after")
    def _open_times(self) -> "TimeSettings":
        if not self.skips:
            return self
        if self.start is None or self.step is None:
            reason = "hours and weekdays are only used with start and step"
            raise wrong(reason, "give a start and a step, or remove hours and weekdays", "hours")
        if self.start.tzinfo is not None:
            reason = "an offset does not fit hours and weekdays, which are wall times"
            raise wrong(reason, "write start without an offset", "start")
        if self.weekdays and list(Weekday)[self.start.weekday()] not in self.weekdays:
            right = "write the day of the first row, or correct weekdays"
            raise wrong("not on one of the weekdays", right, "start")
        step_s, (opens_s, closes_s) = self.step.total_seconds(), self.open_s
        start_s = seconds_of_day(self.start.time())
        if (closes_s - opens_s) % step_s or (start_s - opens_s) % step_s:
            reason = f"the step does not divide {self.hours[0]:%H:%M}..{self.hours[1]:%H:%M}"
            raise wrong(reason, "choose hours and start that are whole steps apart", "step")
        if not opens_s <= start_s < closes_s:
            right = "write the time of the first row, or correct hours"
            raise wrong("outside hours", right, "start")
        return self

    @property
    def skips(self) -> bool:
        """Whether some hours or days have no rows."""
        return bool(self.weekdays) or self.hours != (time(0), time(0))

    @property
    def open_s(self) -> tuple[int, int]:
        """Seconds of the day at which rows begin and end; 00:00 as an end is midnight."""
        opens_s, closes_s = (seconds_of_day(moment) for moment in self.hours)
        return opens_s, closes_s or DAY_S

    @property
    def step_of_hours(self) -> timedelta:
        """How far apart columns of hours are."""
        return self.step or timedelta(hours=1)

    @property
    def of_rows(self) -> "TimeSettings":
        """How times are read once columns of hours are rows: their hour is a column then."""
        if self.hour_columns is None:
            return self
        return self.model_copy(
            update={
                "column": None,
                "columns": (*self.names, HOUR),
                "format": None if self.format is None else f"{self.format} %H:%M",
                "step": self.step_of_hours,
                "hour_columns": None,
            }
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that hold the time."""
        return self.columns or (() if self.column is None else (self.column,))


def seconds_of_day(moment: time) -> int:
    """Seconds since midnight.

    >>> seconds_of_day(time(1, 30))
    5400
    """
    return moment.hour * 3600 + moment.minute * 60 + moment.second
