"""What a node knew: one moment of all places, or one place over time, now or at a time past.

Shapes: N places, T times, H horizon steps.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from deepcity.city.arrays import Floats, Ints
from deepcity.city.errors import LiveError
from deepcity.data.panel import Panel
from deepcity.live.node.agency_records import folded
from deepcity.live.node.forecast_event import StoredForecast, stored_forecast
from deepcity.live.node.node import Node, PartyKey
from deepcity.store.events.event import EventKind, EventQuery

_MOST_STEPS = 20_000


class FrameKind(StrEnum):
    """What a frame holds."""

    MEASURED = "measured"
    FORECAST = "forecast"
    NONE = "none"


@dataclass(frozen=True, eq=False)
class Frame:
    """One moment of all places of a party.

    Attributes:
        time_s: start of the step, UTC seconds.
        origin_s: of the forecast; None where it was measured.
        value_N, low_N, high_N: in the field's unit; NaN where not known. The band of a measured
            value is NaN.
    """

    time_s: int
    kind: FrameKind
    origin_s: int | None
    value_N: Floats
    low_N: Floats
    high_N: Floats


@dataclass(frozen=True, eq=False)
class Series:
    """One place over time.

    Attributes:
        time_T, value_T: measured, NaN where it was not.
        forecast: the forecast of all places that was the newest one; None: none.
        place: its position among the forecast's places.
    """

    time_T: Ints
    value_T: Floats
    forecast: StoredForecast | None
    place: int


def party_of(node: Node, service: str, party: str) -> PartyKey:
    """The key of a party.

    Raises:
        LiveError: if the node has none of that name.
    """
    key = service, party
    if key not in node.parties:
        known = ", ".join(f"{one} of {name}" for name, one in list(node.parties)[:5])
        raise LiveError(f"{party} of {service}", "no party of this node", f"ask for {known}")
    return key


def frame(node: Node, key: PartyKey, time_s: int, known_s: int | None = None) -> Frame:
    """A moment of all places: as measured, where that was known, else as it was last forecast.

    Args:
        known_s: what was known then; None: now.

    Raises:
        StoreError: if the events cannot be read.
    """
    panel, column = _values(node, key, known_s)
    step_s = panel.clock.step_s
    time_s = time_s // step_s * step_s
    nothing_N = np.full(len(panel.places), np.nan, np.float32)
    if len(panel.time_T):
        at = (time_s - int(panel.time_T[0])) // step_s
        if 0 <= at < len(panel.time_T) and np.isfinite(panel.values_TNF[at, :, column]).any():
            value_N = panel.values_TNF[at, :, column]
            return Frame(time_s, FrameKind.MEASURED, None, value_N, nothing_N, nothing_N)
    found = newest_forecast(node, key, known_s)
    if found is not None and time_s < found.origin_s:  # past, and never measured
        found = newest_forecast(node, key, time_s)
    if found is not None and found.origin_s <= time_s < found.until_s:
        at = (time_s - found.origin_s) // found.step_s
        parts = (found.value_NH[:, at], found.low_NH[:, at], found.high_NH[:, at])
        return Frame(time_s, FrameKind.FORECAST, found.origin_s, *parts)
    return Frame(time_s, FrameKind.NONE, None, nothing_N, nothing_N, nothing_N)


def series(
    node: Node, key: PartyKey, place: str, since_s: int, until_s: int, known_s: int | None = None
) -> Series:
    """One place over time, and its newest forecast.

    Raises:
        LiveError: if the party has no such place, or the span is too long.
        StoreError: if the events cannot be read.
    """
    panel, column = _values(node, key, known_s)
    names = [one.id for one in panel.places]
    if place not in names:
        right = f"ask for {', '.join(names[:5])}"
        raise LiveError(place[:100], f"no place of {key[1]}", right)
    if not 0 <= until_s - since_s <= _MOST_STEPS * panel.clock.step_s:
        right = f"ask for at most {_MOST_STEPS:,} steps of {panel.clock.step_s} s"
        raise LiveError(f"{since_s} to {until_s}", "no span, or too long a one", right)
    part, at = panel.between(since_s, until_s), names.index(place)
    found = newest_forecast(node, key, known_s)
    where = -1 if found is None or place not in found.places else found.places.index(place)
    forecast = found if where >= 0 else None
    return Series(part.time_T, part.values_TNF[:, at, column], forecast, where)


def newest_forecast(node: Node, key: PartyKey, known_s: int | None) -> StoredForecast | None:
    """The newest forecast of a party that was known at a time; None: now."""
    if known_s is None:
        return node.parties[key].forecast
    service, party = key
    query = EventQuery(
        (EventKind.FORECAST,),
        service=service,
        party=party,
        until_s=known_s + 1,
        newest=True,
        limit=10,
    )
    found = (stored_forecast(event) for event in node.events.read(query))
    return next((one for one in found if one is not None), None)


def _values(node: Node, key: PartyKey, known_s: int | None) -> tuple[Panel, int]:
    """A party's records, and which field of them is forecast.

    Raises:
        LiveError: if there are none.
    """
    party = node.parties[key].party
    panel = node.panel(party.party.agency)
    if panel is not None and known_s is not None:
        empty = replace(panel, time_T=panel.time_T[:0], values_TNF=panel.values_TNF[:0])
        query = EventQuery((EventKind.ROWS,), party=party.party.agency, until_s=known_s + 1)
        panel = folded(node.events.read(query), empty)
    if panel is None:
        when = "yet" if known_s is None else f"at {known_s}"
        raise LiveError(party.party.agency, f"no records were known {when}", "ask for a later time")
    return panel, panel.field_index(party.field)
