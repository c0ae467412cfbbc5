"""A feed's timetable: places, and departures from them on any steps of any days.

Shapes: M departures of a service, S steps, N places.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import polars as pl

from deepcity.city.arrays import Ints
from deepcity.city.clock import DAY_S, Clock
from deepcity.data.errors import ReadError
from deepcity.data.gtfs.bad_rows import ROW, BadRows
from deepcity.data.gtfs.feed_files import FeedFiles
from deepcity.data.gtfs.service_days import ServiceDays, read_service_days
from deepcity.data.gtfs.stop_times import departures_of, read_stop_times, repeated_by_frequency
from deepcity.data.timestamps.resample import Grid, grid_over

By = Literal["stop", "station", "route"]
_HALF_DAY = timedelta(hours=12)
_POSITION = {"stop_lat": 90, "stop_lon": 180}


@dataclass(frozen=True)
class ServiceDepartures:
    """Departures on each day of one service.

    Attributes:
        second_M: since noon minus 12 hours of the service day.
        place_M: number of the place.
        count_M: departures of that second and place.
    """

    second_M: Ints
    place_M: Ints
    count_M: Ints


@dataclass(frozen=True, eq=False)
class Timetable:
    """What a feed says.

    Attributes:
        zone: of its agencies.
        places: `place`, `name`, `lat` and `lon`, a row each.
        days: on which services run.
        departures: by service.
        last_second: the latest of all.
    """

    zone: str
    places: pl.DataFrame
    days: ServiceDays
    departures: dict[str, ServiceDepartures]
    last_second: int

    def grid(self, first: date, last: date, step: timedelta) -> Grid:
        """The steps of some days, those included."""
        begin = datetime.combine(first, time(), ZoneInfo(self.zone))
        end = datetime.combine(last + timedelta(days=1), time(), ZoneInfo(self.zone))
        seconds = int(begin.timestamp()), int(end.timestamp())
        return grid_over(Clock(self.zone, step), *seconds)

    def daily_counts(self, grid: Grid) -> Iterator[tuple[Ints, Ints]]:
        """Starts of steps (UTC seconds) and departures (S, N), some 24 hours at a time."""
        size = DAY_S // grid.step_s
        for first in range(0, grid.steps, size):
            time_S = grid.time_T[first : first + size]
            yield time_S, self._counts(time_S, grid.step_s)

    def _counts(self, time_S: Ints, step_s: int) -> Ints:
        places, begin_s = self.places.height, int(time_S[0])
        end_s = int(time_S[-1]) + step_s
        total = np.zeros(len(time_S) * places, dtype=np.int64)
        for day, zero_s in self._days_touching(begin_s, end_s):
            for service in self.days.on(day) & self.departures.keys():
                found = self.departures[service]
                after_M = zero_s + found.second_M - begin_s
                within = (after_M >= 0) & (after_M < end_s - begin_s)
                cell = after_M[within] // step_s * places + found.place_M[within]
                np.add.at(total, cell, found.count_M[within])
        return total.reshape(len(time_S), places)

    def _days_touching(self, begin_s: int, end_s: int) -> Iterator[tuple[date, int]]:
        """Service days that may have departures in a span, and when their times begin."""
        zone = ZoneInfo(self.zone)
        back = timedelta(seconds=self.last_second, days=1)
        day = (datetime.fromtimestamp(begin_s, zone) - back).date()
        while day <= datetime.fromtimestamp(end_s, zone).date():
            noon = datetime.combine(day, time(12), zone)
            yield day, int(noon.timestamp() - _HALF_DAY.total_seconds())
            day += timedelta(days=1)


def read_timetable(feed: FeedFiles, by: By, *, drop: bool) -> Timetable:
    """Read a feed.

    Args:
        by: what a place is.
        drop: leave rows out that cannot be used.

    Raises:
        ReadError: with every row that cannot be used, by file.
    """
    feed.check_columns()
    zone, bad = _zone(feed), BadRows(feed.path, drop)
    days = read_service_days(feed, bad)
    stops, routes = _stops(feed, bad), _routes(feed, bad)
    trips = _trips(feed, routes, days, bad)
    stop_times = read_stop_times(feed, trips, stops, bad)
    departures = departures_of(stop_times, starts_alone=by == "route")
    departures = repeated_by_frequency(departures, stop_times, feed, trips, bad)
    bad.refuse()
    departures = departures.join(trips, on="trip").join(stops, on="stop")
    if not departures.height:
        raise ReadError("path", feed.path, "it has no departures", "get a feed with trips")
    places = _places(by, stops, routes, trips, stop_times)
    place = {"stop": "stop_id", "station": "station_id", "route": "route_id"}[by]
    counted = departures.group_by("service_id", "second", pl.col(place).alias("place")).len()
    numbered = counted.join(places.with_row_index("number"), on="place")
    by_service = {
        str(service): ServiceDepartures(
            *(part[name].cast(pl.Int64).to_numpy() for name in ("second", "number", "len"))
        )
        for (service,), part in numbered.partition_by("service_id", as_dict=True).items()
    }
    return Timetable(zone, places, days, by_service, int(departures["second"].max()))  # type: ignore[arg-type]


def _zone(feed: FeedFiles) -> str:
    """The time zone of the feed's agencies, which GTFS wants to be one."""
    zones = feed.whole("agency.txt", ("agency_timezone",))["agency_timezone"].drop_nulls()
    names = zones.unique(maintain_order=True).to_list()
    if len(names) != 1:
        reason = f"agency.txt names {len(names)} time zones: {', '.join(names[:3])}".rstrip(": ")
        raise ReadError("path", feed.path, reason, "give all its agencies the same one")
    if names[0] not in available_timezones():
        reason = f"agency.txt: agency_timezone = {names[0][:60]!r} is not a time zone"
        raise ReadError("path", feed.path, reason, "write an IANA name, e.g. Asia/Seoul")
    return str(names[0])


def _stops(feed: FeedFiles, bad: BadRows) -> pl.DataFrame:
    """`stop`, `stop_id`, `station_id`, `name`, `lat` and `lon`; a blank position is unknown."""
    file, columns = "stops.txt", ("stop_id", "stop_name", "parent_station", *_POSITION)
    frame = _with_ids(feed.whole(file, columns), file, "stop_id", bad)
    for name, most in _POSITION.items():
        number = pl.col(name).cast(pl.Float64, strict=False)
        wrong = pl.col(name).is_not_null() & ~(number.abs() <= most).fill_null(value=False)
        frame = bad.without(frame, file, name, wrong, "is not a position in degrees")
    one = pl.col("stop_lat").is_null() != pl.col("stop_lon").is_null()
    frame = bad.without(frame, file, "stop_id", one, "has only one of stop_lat and stop_lon")
    return frame.select(
        pl.int_range(pl.len(), dtype=pl.Int32).alias("stop"),
        "stop_id",
        pl.coalesce("parent_station", "stop_id").alias("station_id"),
        pl.col("stop_name").alias("name"),
        pl.col("stop_lat").cast(pl.Float64).alias("lat"),
        pl.col("stop_lon").cast(pl.Float64).alias("lon"),
    )


def _routes(feed: FeedFiles, bad: BadRows) -> pl.DataFrame:
    """`route_id` and `name`."""
    file, names = "routes.txt", ("route_short_name", "route_long_name")
    frame = _with_ids(feed.whole(file, ("route_id", *names)), file, "route_id", bad)
    return frame.select("route_id", pl.coalesce(*names).alias("name"))


def _trips(feed: FeedFiles, routes: pl.DataFrame, days: ServiceDays, bad: BadRows) -> pl.DataFrame:
    """`trip`, `trip_id`, `route_id` and `service_id`."""
    file, columns = "trips.txt", ("trip_id", "route_id", "service_id")
    frame = _with_ids(feed.whole(file, columns), file, "trip_id", bad)
    unknown = ~pl.col("route_id").is_in(routes["route_id"].implode())
    frame = bad.without(frame, file, "route_id", unknown, "is not in routes.txt")
    unknown = ~pl.col("service_id").is_in(list(days.services))
    frame = bad.without(frame, file, "service_id", unknown, "is in no calendar file")
    return frame.select(pl.int_range(pl.len(), dtype=pl.Int32).alias("trip"), *columns)


def _with_ids(frame: pl.DataFrame, file: str, column: str, bad: BadRows) -> pl.DataFrame:
    frame = bad.without(frame, file, column, pl.col(column).is_null(), "is blank")
    again = ~pl.col(column).is_first_distinct()
    return bad.without(frame, file, column, again, "is there twice").sort(ROW)


def _places(
    by: By,
    stops: pl.DataFrame,
    routes: pl.DataFrame,
    trips: pl.DataFrame,
    stop_times: pl.DataFrame,
) -> pl.DataFrame:
    """Places at which trips stop, in the order of their file; a route is amid its stops."""
    if by == "route":
        pairs = stop_times.select("trip", "stop").join(trips, on="trip")
        served = pairs.select("route_id", "stop").unique().join(stops, on="stop")
        middle = served.group_by("route_id").agg(pl.col("lat", "lon").mean())
        known = routes.join(middle, on="route_id", maintain_order="left")
        return known.select(pl.col("route_id").alias("place"), "name", "lat", "lon")
    served = stops.join(stop_times.select("stop").unique(), on="stop", how="semi")
    if by == "stop":
        return served.select(pl.col("stop_id").alias("place"), "name", "lat", "lon")
    stations = stops.join(served, on=pl.col("station_id"), how="semi")
    own = stops.select("stop_id", "name", "lat", "lon")
    ids = stations.select(pl.col("station_id").alias("place")).unique(maintain_order=True)
    return ids.join(own, left_on="place", right_on="stop_id", how="left", maintain_order="left")
