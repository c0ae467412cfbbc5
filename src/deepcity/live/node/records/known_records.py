"""What was known of an agency's records at a time past, from the events that they are kept as.

Most events say without their arrays which steps have a measured value; only others are read whole.

Shapes: T steps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deepcity.city.arrays import Bools
from deepcity.city.clock import DAY_S
from deepcity.data.panel import Panel
from deepcity.live.node.records.agency_records import folded
from deepcity.live.node.records.source_status import RecordSummary
from deepcity.store.blob import unpack
from deepcity.store.events.event import Event, EventKind, EventQuery
from deepcity.store.events.event_store import EventStore


def known_summary(events: EventStore, agency: str, panel: Panel, known_s: int) -> RecordSummary:
    """The summary of an agency's records as they were known at a time, UTC seconds.

    Args:
        panel: of the agency; its places, fields and step are meant.

    Raises:
        StoreError: if the events cannot be read.
    """
    query = EventQuery((EventKind.ROWS,), party=agency, until_s=known_s + 1, data=False)
    found, step_s = events.read(query), panel.clock.step_s
    empty = replace(panel, time_T=panel.time_T[:0], values_TNF=panel.values_TNF[:0])
    if not found:
        return RecordSummary.of(empty)
    first_s = min(int(one.body["from_s"]) for one in found)
    last_s = max(int(one.body["until_s"]) for one in found)
    measured_T = np.zeros((last_s - first_s) // step_s, dtype=bool)
    for one in found:
        begin, end = ((int(one.body[key]) - first_s) // step_s for key in ("from_s", "until_s"))
        known_T = _measured_steps(one.body, panel, end - begin)
        if known_T is None:
            known_T, stated_T = _looked_up(events, one, empty)
            measured_T[begin:end][stated_T] = known_T[stated_T]
        else:
            measured_T[begin:end] = known_T
    if not measured_T.any():
        return RecordSummary.of(empty)
    newest_s = first_s + (int(np.flatnonzero(measured_T)[-1]) + 1) * step_s
    day = [one for one in found if one.body["until_s"] > newest_s - max(DAY_S, step_s)]
    latest = folded(_whole(events, day), empty)
    return replace(RecordSummary.of(latest), newest_s=newest_s, rows=int(measured_T.sum()))


def _measured_steps(body: Mapping[str, Any], panel: Panel, steps: int) -> Bools | None:
    """Which of an event's steps have a measured value, if its body tells; None: it does not."""
    names = [place.id for place in panel.places], [field.name for field in panel.fields]
    if (body["places"], body["fields"]) != names or body["steps"] != steps:
        return None
    values = int(body["values"])
    if values == 0 or steps == 1 or values == steps * len(names[0]) * len(names[1]):
        return np.full(steps, values > 0)
    return None


def _looked_up(events: EventStore, event: Event, empty: Panel) -> tuple[Bools, Bools]:
    """Which steps of an event's span have a measured value, and which ones it holds at all."""
    (whole,) = _whole(events, [event])
    panel = folded([whole], empty)
    arrays, _ = unpack(whole.data)
    stated_T = np.isin(panel.time_T, arrays["rows"]["time"])
    return np.asarray(panel.mask_TNF.any(axis=(1, 2))), stated_T


def _whole(events: EventStore, bare: Sequence[Event]) -> list[Event]:
    return [one for one in (events.find(event.key) for event in bare) if one is not None]
