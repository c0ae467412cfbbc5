"""On which days a service of a timetable runs: calendar.txt, and exceptions to it by date."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from deepcity.data.errors import ReadError
from deepcity.data.gtfs.bad_rows import BadRows
from deepcity.data.gtfs.feed_files import OPTIONAL, FeedFiles

_CALENDAR, _DATES = "calendar.txt", "calendar_dates.txt"
_ADDED, _REMOVED = "1", "2"


@dataclass(frozen=True)
class WeeklyService:
    """A row of calendar.txt: the weekdays (Monday first) between two days on which it runs."""

    service: str
    weekdays: tuple[bool, ...]
    first: date
    last: date


@dataclass(frozen=True)
class ServiceDays:
    """The days of all services.

    Attributes:
        weekly: services that run every week.
        added, removed: date -> services that run, or do not run, on that day alone.
    """

    weekly: tuple[WeeklyService, ...]
    added: dict[date, set[str]] = field(default_factory=dict)
    removed: dict[date, set[str]] = field(default_factory=dict)

    @property
    def services(self) -> set[str]:
        """Every service that either file names."""
        by_date = [*self.added.values(), *self.removed.values()]
        return {one.service for one in self.weekly}.union(*by_date)

    @property
    def covered(self) -> tuple[date, date] | None:
        """First and last day that the timetable speaks of; None: it runs on no day."""
        firsts = [*(one.first for one in self.weekly), *self.added]
        lasts = [*(one.last for one in self.weekly), *self.added]
        return (min(firsts), max(lasts)) if firsts else None

    def on(self, day: date) -> set[str]:
        """The services of a day."""
        weekly = {
            one.service
            for one in self.weekly
            if one.first <= day <= one.last and one.weekdays[day.weekday()]
        }
        return (weekly | self.added.get(day, set())) - self.removed.get(day, set())


def read_service_days(feed: FeedFiles, bad: BadRows) -> ServiceDays:
    """The service days of a feed.

    Raises:
        ReadError: if a file cannot be read.
    """
    added: defaultdict[date, set[str]] = defaultdict(set)
    removed: defaultdict[date, set[str]] = defaultdict(set)
    for row in _exceptions(feed, bad).iter_rows(named=True):
        of_type = added if row["exception_type"] == _ADDED else removed
        of_type[row["day"]].add(row["service_id"])
    weekly = tuple(_weekly(feed, bad))
    return ServiceDays(weekly, dict(added), dict(removed))


def _weekly(feed: FeedFiles, bad: BadRows) -> list[WeeklyService]:
    _, *days, start, end = OPTIONAL[_CALENDAR]
    frame = feed.whole(_CALENDAR, OPTIONAL[_CALENDAR])
    frame = bad.without(frame, _CALENDAR, "service_id", pl.col("service_id").is_null(), "is blank")
    for name in days:
        frame = bad.without(
            frame, _CALENDAR, name, ~pl.col(name).is_in(["0", "1"]), "is not 0 or 1"
        )
    for name, day in ((start, "first"), (end, "last")):
        frame = _with_date(frame, _CALENDAR, name, day, bad)
    late = pl.col("first") > pl.col("last")
    frame = bad.without(frame, _CALENDAR, end, late, "is before start_date")
    return [
        WeeklyService(
            row["service_id"], tuple(row[name] == "1" for name in days), row["first"], row["last"]
        )
        for row in frame.iter_rows(named=True)
    ]


def _exceptions(feed: FeedFiles, bad: BadRows) -> pl.DataFrame:
    frame = feed.whole(_DATES, OPTIONAL[_DATES])
    frame = bad.without(frame, _DATES, "service_id", pl.col("service_id").is_null(), "is blank")
    other = ~pl.col("exception_type").is_in([_ADDED, _REMOVED])
    frame = bad.without(frame, _DATES, "exception_type", other, "is not 1 (added) or 2 (removed)")
    return _with_date(frame, _DATES, "date", "day", bad)


def _with_date(
    frame: pl.DataFrame, file: str, column: str, name: str, bad: BadRows
) -> pl.DataFrame:
    whole = pl.when(pl.col(column).str.contains(r"^\d{8}$")).then(pl.col(column))
    frame = frame.with_columns(whole.str.to_date("%Y%m%d", strict=False).alias(name))
    return bad.without(frame, file, column, pl.col(name).is_null(), "is not a date YYYYMMDD")


def days_within(
    days: ServiceDays, first: date | None, last: date | None, path: str, most: int
) -> tuple[date, date]:
    """The days of a feed that are asked for.

    Args:
        first, last: of the city file; None: as the feed has them.
        most: how many days are read.

    Raises:
        ReadError: if there is none of them, or there are too many.
    """
    covered = days.covered
    if covered is None:
        raise ReadError("path", path, "no service runs on any day", "see calendar.txt of the feed")
    begin = covered[0] if first is None else max(first, covered[0])
    end = covered[1] if last is None else min(last, covered[1])
    span = f"the feed covers {covered[0]} to {covered[1]}"
    if begin > end:
        key, value = ("first", first) if first is not None else ("last", last)
        raise ReadError(key, str(value), span, "name days within, or get a feed of these days")
    if (end - begin).days >= most:
        right = f"name at most {most:,} days with first and last"
        raise ReadError("first", None, f"{span}, over {most:,} days", right)
    return begin, end
