"""Public transport by GTFS-realtime 2: vehicles on their way, and how late trips are."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

from deepcity.data.errors import ReadError
from deepcity.data.feeds.polled import PolledConnector, PolledSettings, Row, fetch

_MOST_DELAY_S = 86_400


class GtfsRealtimeSettings(PolledSettings):
    """Keys of a GTFS-realtime source, beside those of every feed that is asked for.

    A row is of a route, or of a stop, at the time of the feed's header, with the columns
    `vehicles` (positions reported), `trips` (with updates) and `delay_s` (their mean delay: of a
    route's trips at the next stop that they state, or of all stops stated for a stop).

    Attributes:
        by: what a place is: ``route`` or ``stop``.
    """

    format: Literal["gtfs_realtime"] = "gtfs_realtime"
    by: Literal["route", "stop"] = "route"


def snapshot(source: GtfsRealtimeSettings, folder: Path, _since_s: float) -> list[Row]:
    """A row for each route or stop that the feed speaks of.

    Raises:
        ReadError: if it is no feed of GTFS-realtime.
    """
    feed = _feed(source, fetch(source, source.url, folder))
    vehicles: defaultdict[str, int] = defaultdict(int)
    trips: defaultdict[str, int] = defaultdict(int)
    delays: defaultdict[str, list[float]] = defaultdict(list)
    for entity in feed.entity:
        if entity.HasField("vehicle"):
            vehicle = entity.vehicle
            place = vehicle.trip.route_id if source.by == "route" else vehicle.stop_id
            vehicles[place] += 1
        if entity.HasField("trip_update"):
            for place, delay in _delays(source, entity.trip_update):
                trips[place] += 1
                delays[place] += [] if delay is None else [delay]
    at = datetime.fromtimestamp(feed.header.timestamp, UTC).isoformat()
    assert source.time is not None
    rows = []
    for place in sorted({*vehicles, *trips} - {""}):
        row = {source.time.names[0]: at, source.place or "": place}
        row |= {"vehicles": str(vehicles[place]), "trips": str(trips[place])}
        row["delay_s"] = f"{fmean(delays[place]):.1f}" if delays[place] else ""
        rows.append(row)
    return rows


def _delays(source: GtfsRealtimeSettings, update: Any) -> Iterator[tuple[str, float | None]]:  # noqa: ANN401 - protobuf
    """Each place of a trip, and how late it is there, seconds; None: the feed does not say."""
    stops = [(stop.stop_id, _delay(stop)) for stop in update.stop_time_update]
    if source.by == "stop":
        yield from stops
        return
    stated = [delay for _, delay in stops if delay is not None]
    own = _plausible(update.delay) if update.HasField("delay") else None
    yield update.trip.route_id, stated[0] if stated else own


def _delay(stop: Any) -> float | None:  # noqa: ANN401 - protobuf
    for event in (stop.arrival, stop.departure):
        if event.HasField("delay"):
            return _plausible(event.delay)
    return None


def _plausible(delay_s: int) -> float | None:
    return float(delay_s) if abs(delay_s) <= _MOST_DELAY_S else None


def _feed(source: GtfsRealtimeSettings, content: bytes) -> Any:  # noqa: ANN401 - protobuf
    try:
        from google.protobuf.message import DecodeError
        from google.transit import gtfs_realtime_pb2
    except ImportError:
        right = "run: pip install 'deepcity[gtfs]'"
        reason = "gtfs-realtime-bindings is not installed"
        raise ReadError("format", source.format, reason, right) from None
    feed = gtfs_realtime_pb2.FeedMessage()
    right = "name a feed of VehiclePositions or TripUpdates in protobuf"
    try:
        feed.ParseFromString(content)
    except DecodeError as error:
        raise ReadError("url", source.url, "not a feed of GTFS-realtime", right) from error
    if not 0 < feed.header.timestamp < 1 << 33:
        raise ReadError("url", source.url, "its header has no time", right)
    return feed


CONNECTOR = PolledConnector(
    "gtfs_realtime",
    GtfsRealtimeSettings,
    "let deepcity up run, which asks for the feed",
    snapshot=snapshot,
)
