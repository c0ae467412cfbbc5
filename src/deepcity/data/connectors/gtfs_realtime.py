"""Public transport by GTFS-realtime 2: vehicles on their way, and how late trips are."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

from deepcity.data.errors import ReadError
from deepcity.data.feeds.polled import PolledConnector, PolledSettings, Row, fetch
from deepcity.data.feeds.protobuf_fields import message_fields

_MOST_DELAY_S = 86_400
_MOST_ENTITIES, _MOST_ENTITY = 200_000, 1_000_000
_RIGHT = "name a feed of VehiclePositions or TripUpdates in protobuf"


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
    header, entities = _feed(source, fetch(source, source.url, folder))
    vehicles: defaultdict[str, int] = defaultdict(int)
    trips: defaultdict[str, int] = defaultdict(int)
    delays: defaultdict[str, list[float]] = defaultdict(list)
    for entity in entities:
        if entity.HasField("vehicle"):
            vehicle = entity.vehicle
            place = vehicle.trip.route_id if source.by == "route" else vehicle.stop_id
            vehicles[_text(place)] += 1
        if entity.HasField("trip_update"):
            for place, delay in _delays(source, entity.trip_update):
                trips[_text(place)] += 1
                delays[_text(place)] += [] if delay is None else [delay]
    at = datetime.fromtimestamp(header.timestamp, UTC).isoformat()
    assert source.time is not None
    rows = []
    for place in sorted({*vehicles, *trips} - {""}):
        row = {source.time.names[0]: at, source.place or "": place}
        row |= {"vehicles": str(vehicles[place]), "trips": str(trips[place])}
        row["delay_s"] = f"{fmean(delays[place]):.1f}" if delays[place] else ""
        rows.append(row)
    return rows


def _text(name: str | bytes) -> str:
    """An id; what is no UTF-8 comes as bytes, and becomes the name of no place."""
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else name


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


def _feed(source: GtfsRealtimeSettings, content: bytes) -> tuple[Any, Iterator[Any]]:
    """The header of a feed, and its entities, each parsed when it is asked for.

    Raises:
        ReadError: if it is no feed; of an entity, when that is asked for.
    """
    try:
        from google.transit import gtfs_realtime_pb2
    except ImportError:
        right = "run: pip install 'deepcity[gtfs]'"
        reason = "gtfs-realtime-bindings is not installed"
        raise ReadError("format", source.format, reason, right) from None
    parts = _parts(source, content, gtfs_realtime_pb2)
    header = next(parts)
    if not 0 < header.timestamp < 1 << 33:
        raise ReadError("url", source.url, "its header has no time", _RIGHT)
    return header, parts


def _parts(source: GtfsRealtimeSettings, content: bytes, messages: Any) -> Iterator[Any]:  # noqa: ANN401 - protobuf
    """The header, then the entities."""
    from google.protobuf.message import DecodeError

    count = 0
    try:
        headers = (found for number, found in message_fields(content) if number == 1)
        yield messages.FeedHeader.FromString(next(headers, b""))  # that of nothing is none
        for number, found in message_fields(content):
            if number != 2:
                continue
            count += 1
            if len(found) > _MOST_ENTITY or count > _MOST_ENTITIES:
                reason = f"over {_MOST_ENTITIES:,} entities, or one over {_MOST_ENTITY:,} bytes"
                raise ReadError("url", source.url, reason, "ask its operator for a smaller feed")
            yield messages.FeedEntity.FromString(found)
    except (DecodeError, ValueError) as error:
        raise ReadError("url", source.url, "not a feed of GTFS-realtime", _RIGHT) from error


CONNECTOR = PolledConnector(
    "gtfs_realtime",
    GtfsRealtimeSettings,
    "let deepcity up run, which asks for the feed",
    snapshot=snapshot,
)
