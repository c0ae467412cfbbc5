"""What a node knew: one moment of all places, one place over time, or how its sources stood, now
or at a time past.

Shapes: N places, T times, H horizon steps.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from deepcity.city.arrays import Floats, Ints
from deepcity.city.errors import LiveError
from deepcity.data.config.toml_file import did_you_mean
from deepcity.data.panel import Panel
from deepcity.live.node.deep_source import DeepSource, state_from
from deepcity.live.node.forecast_event import StoredForecast, stored_forecast
from deepcity.live.node.node import Node, PartyKey
from deepcity.live.node.records.agency_records import folded
from deepcity.live.node.records.known_records import known_summary
from deepcity.live.node.records.source_status import SourceState, source_state
from deepcity.store.events.event import Event, EventKind, EventQuery

_MOST_STEPS = 20_000


class FrameKind(StrEnum):
    """What a frame holds."""

    MEASURED = "measured"
    FORECAST = "forecast"
    NONE = "none"


@dataclass(frozen=True, eq=False)
class PlacesFrame:
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
        asked = f"{party} of {service}"[:200]
        right = did_you_mean(asked, [f"{one} of {of}" for of, one in node.parties])
        raise LiveError(asked, "no party of this node", right)
    return key


def frame(node: Node, key: PartyKey, time_s: int, known_s: int | None = None) -> PlacesFrame:
    """A moment of all places: as measured, where that was known, else as it was last forecast.

    Args:
        known_s: what was known then; None: now.

    Raises:
        LiveError: if no records were known.
        StoreError: if the events cannot be read.
    """
    panel, column = _values(node, key, known_s, time_s, time_s)
    step_s, phase_s = panel.clock.step_s, int(node.panel(_agency(node, key)).time_T[0])
    time_s = phase_s + (time_s - phase_s) // step_s * step_s
    nothing_N = np.full(len(panel.places), np.nan, np.float32)
    if len(panel.time_T):
        at = (time_s - int(panel.time_T[0])) // step_s
        if 0 <= at < len(panel.time_T) and np.isfinite(panel.values_TNF[at, :, column]).any():
            value_N = panel.values_TNF[at, :, column]
            return PlacesFrame(time_s, FrameKind.MEASURED, None, value_N, nothing_N, nothing_N)
    found = newest_forecast(node, key, known_s)
    if found is not None and time_s < found.origin_s:  # past, and never measured
        found = newest_forecast(node, key, time_s)
    if found is not None and found.origin_s <= time_s < found.until_s:
        at = (time_s - found.origin_s) // found.step_s
        parts = (found.value_NH[:, at], found.low_NH[:, at], found.high_NH[:, at])
        return PlacesFrame(time_s, FrameKind.FORECAST, found.origin_s, *parts)
    return PlacesFrame(time_s, FrameKind.NONE, None, nothing_N, nothing_N, nothing_N)


def series(
    node: Node, key: PartyKey, place: str, since_s: int, until_s: int, known_s: int | None = None
) -> Series:
    """One place over time, and its newest forecast.

    Raises:
        LiveError: if the party has no such place, or the span is too long.
        StoreError: if the events cannot be read.
    """
    panel, column = _values(node, key, known_s, since_s, until_s)
    names = [one.id for one in panel.places]
    if place not in names:
        right = did_you_mean(place[:100], names)
        raise LiveError(place[:100], f"no place of {key[1]}", right)
    if not 0 <= until_s - since_s <= _MOST_STEPS * panel.clock.step_s:
        right = f"ask for at most {_MOST_STEPS:,} steps of {panel.clock.step_s} s"
        raise LiveError(f"{since_s} to {until_s}", "no span, or too long a one", right)
    part, at = panel.between(since_s, until_s), names.index(place)
    found = newest_forecast(node, key, known_s)
    where = -1 if found is None or place not in found.places else found.places.index(place)
    forecast = found if where >= 0 else None
    return Series(part.time_T, part.values_TNF[:, at, column], forecast, where)


def known_source(node: Node, agency: str, known_s: int) -> SourceState:
    """How new an agency's records were, as they were known at a time, UTC seconds.

    What prevented its source from being read then is in `known_check`, as far as it is kept.

    Raises:
        StoreError: if the events cannot be read.
    """
    found = known_summary(node.events, agency, node.panel(agency), known_s)
    return source_state(agency, found, known_s)


def known_check(node: Node, agency: str, known_s: int) -> Event | None:
    """The newest event of the data check on an agency's records that was known at a time.

    Raises:
        StoreError: if it cannot be read.
    """
    return _newest(node, EventKind.CHECK, ("", agency), known_s)


def known_deep_sources(node: Node, known_s: int) -> list[DeepSource]:
    """The agencies that send deep data, as each party's newest forecast by a time saw them.

    Raises:
        StoreError: if the events cannot be read.
    """
    found = []
    for one in node.deep_sources(known_s):
        event = _newest(node, EventKind.FORECAST, (one.service, one.party), known_s)
        evidence = [] if event is None else event.body.get("agencies", [])
        own = next((it for it in evidence if it["agency"] == one.agency.name), None)
        found.append(replace(one, state=state_from(own, one.state, known_s)))
    return found


def _newest(node: Node, kind: EventKind, key: PartyKey, known_s: int) -> Event | None:
    service, party = key
    until_s = known_s + 1
    query = EventQuery(
        (kind,), service=service, party=party, until_s=until_s, newest=True, limit=1, data=False
    )
    return next(iter(node.events.read(query)), None)


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


def _values(
    node: Node, key: PartyKey, known_s: int | None, since_s: int, until_s: int
) -> tuple[Panel, int]:
    """A party's records, those of a span at least, and which field of them is forecast.

    Raises:
        LiveError: if none were known.
    """
    party, agency = node.parties[key].party, _agency(node, key)
    panel = node.panel(agency)
    if known_s is not None:
        query = EventQuery((EventKind.ROWS,), party=agency, until_s=known_s + 1, data=False)
        known = node.events.read(query)
        if not known:
            right = "ask for a later time"
            raise LiveError(agency, f"no records were known at {known_s}", right)
        keys = [one.key for one in known if _overlaps(one.body, since_s, until_s)]
        rows = [one for one in map(node.events.find, keys) if one is not None]
        empty = replace(panel, time_T=panel.time_T[:0], values_TNF=panel.values_TNF[:0])
        panel = folded(rows, empty)
    elif not len(panel.time_T):
        raise LiveError(agency, "no records are known yet", "see whether its source can be read")
    return panel, panel.field_index(party.facts.field)


def _agency(node: Node, key: PartyKey) -> str:
    return node.parties[key].party.party.agency


def _overlaps(body: Mapping[str, Any], since_s: int, until_s: int) -> bool:
    """Whether rows of an event lie in a span."""
    return bool(body["from_s"] <= until_s and body["until_s"] > since_s)
