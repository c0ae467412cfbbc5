"""An agency's records as a node knows them, and the events that they are kept as.

An event holds whole steps, new or corrected. Folding the events until a time gives what was known
then, also once its source has lost or changed its rows.

Shapes: T steps, C changed steps, N places, F fields.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from deepcity.city.arrays import Floats, Ints
from deepcity.city.errors import DataError
from deepcity.city.place import Place
from deepcity.city.problem import Problem
from deepcity.data.panel import Panel
from deepcity.store.blob import pack, unpack
from deepcity.store.events.event import Event, EventDraft, EventKind

_MOST_VALUES = 4_000_000
"""Values in one event: the history of a large city takes several."""


@dataclass(frozen=True, eq=False)
class RowsChanged:
    """Steps that are new, or that have other values than before.

    Attributes:
        time_C: their starts, UTC seconds.
        values_CNF: their values; NaN where nothing was measured.
    """

    time_C: Ints
    values_CNF: Floats


def changed_rows(known: Panel, found: Panel) -> RowsChanged:
    """What a panel holds that the known one, of the same places and fields, does not."""
    if not len(known.time_T):
        return RowsChanged(found.time_T, found.values_TNF)
    step_s = found.clock.step_s
    at_T = (found.time_T - int(known.time_T[0])) // step_s
    same_T = (at_T >= 0) & (at_T < len(known.time_T))
    before_TNF = np.full_like(found.values_TNF, np.nan)
    before_TNF[same_T] = known.values_TNF[at_T[same_T]]
    equal_TNF = (before_TNF == found.values_TNF) | (
        np.isnan(before_TNF) & np.isnan(found.values_TNF)
    )
    changed_T = ~equal_TNF.all(axis=(1, 2))
    changed_T |= ~same_T  # a step without any value is known too
    return RowsChanged(found.time_T[changed_T], found.values_TNF[changed_T])


def with_places(panel: Panel, places: Sequence[Place]) -> Panel:
    """A panel with other places; without values where it had none of that id."""
    old, new = [one.id for one in panel.places], [one.id for one in places]
    if old == new:
        return panel
    values_TNF = np.full((len(panel.time_T), len(new), len(panel.fields)), np.nan, np.float32)
    for f in range(len(panel.fields)):
        values_TNF[:, :, f] = _by_name(panel.values_TNF[:, :, f], old, new)
    return replace(panel, places=tuple(places), values_TNF=values_TNF)


def merged(known: Panel, found: Panel) -> Panel:
    """All steps of both; where both have one, that of `found`.

    A panel keeps the steps that its source no longer has.
    """
    if not len(found.time_T):
        return known
    if not len(known.time_T):
        return found
    step_s = found.clock.step_s
    first = min(int(known.time_T[0]), int(found.time_T[0]))
    last = max(int(known.time_T[-1]), int(found.time_T[-1]))
    time_T = np.arange(first, last + step_s, step_s, dtype=np.int64)
    values_TNF = np.full((len(time_T), *found.values_TNF.shape[1:]), np.nan, np.float32)
    for panel in (known, found):
        begin = (int(panel.time_T[0]) - first) // step_s
        values_TNF[begin : begin + len(panel.time_T)] = panel.values_TNF
    return replace(found, time_T=time_T, values_TNF=values_TNF)


def rows_events(agency: str, panel: Panel, changed: RowsChanged, now_s: int) -> list[EventDraft]:
    """The events that keep changed steps; none where nothing changed."""
    per_step = max(1, panel.values_TNF.shape[1] * panel.values_TNF.shape[2])
    most = max(1, _MOST_VALUES // per_step)
    found = []
    for start in range(0, len(changed.time_C), most):
        time_C = changed.time_C[start : start + most]
        values_CNF = changed.values_CNF[start : start + most]
        data = pack({"rows": {"time": time_C, "values": values_CNF}}, {})
        body = {
            "agency": agency,
            "step_s": panel.clock.step_s,
            "places": [place.id for place in panel.places],
            "fields": [field.name for field in panel.fields],
            "steps": len(time_C),
            "values": int(np.isfinite(values_CNF).sum()),
            "from_s": int(time_C[0]),
            "until_s": int(time_C[-1]) + panel.clock.step_s,
        }
        name = hashlib.sha256(data).hexdigest()[:16]
        key = f"rows/{agency}/{now_s}/{name}"
        found.append(EventDraft(EventKind.ROWS, key, now_s, party=agency, body=body, data=data))
    return found


def folded(events: Sequence[Event], empty: Panel) -> Panel:
    """The panel that an agency's events add up to.

    Args:
        empty: a panel of the agency without steps, whose places and fields are meant; those that
            the events know by other names are left out.

    Raises:
        DataError: if the events are of another step.
    """
    return folded_onto(empty, lambda _data: events, open_places=not empty.places)


def folded_onto(
    known: Panel, read: Callable[[bool], Iterable[Event]], *, open_places: bool
) -> Panel:
    """What is known already, and the events after it, of which one at a time is looked at.

    Args:
        known: its places and fields are meant.
        read: gives the events from the first on, with their arrays or without.
        open_places: the city file names no places: those of the newest event are meant.

    Raises:
        DataError: if the events are of another step.
    """
    step_s, first, last, names = known.clock.step_s, 0, 0, None
    for event in read(False):
        if event.body["step_s"] != step_s:
            raise DataError([_other_step(event, step_s)])
        begin_s, end_s = int(event.body["from_s"]), int(event.body["until_s"])
        first, last = (begin_s, end_s) if names is None else (min(first, begin_s), max(last, end_s))
        names = event.body["places"]
    if names is None:
        return known
    if open_places:
        positions = {one.id: one for one in known.places}
        known = with_places(known, [positions.get(name, Place(name)) for name in names])
    if len(known.time_T):
        first = min(first, int(known.time_T[0]))
        last = max(last, int(known.time_T[-1]) + step_s)
    time_T = np.arange(first, last, step_s, dtype=np.int64)
    shape = (len(time_T), len(known.places), len(known.fields))
    values_TNF = np.full(shape, np.nan, np.float32)
    if len(known.time_T):
        begin = (int(known.time_T[0]) - first) // step_s
        values_TNF[begin : begin + len(known.time_T)] = known.values_TNF
    for event in read(True):
        changed = _read(event, known)
        values_TNF[(changed.time_C - first) // step_s] = changed.values_CNF
    return replace(known, time_T=time_T, values_TNF=values_TNF)


def _other_step(event: Event, step_s: int) -> Problem:
    reason = f"its events are of steps of {event.body['step_s']} s, the city file says {step_s} s"
    return Problem(
        event.party, "step", step_s, reason, "begin anew with another --state or --store"
    )


def _read(event: Event, empty: Panel) -> RowsChanged:
    arrays, _ = unpack(event.data)
    rows = arrays["rows"]
    places = [place.id for place in empty.places]
    fields = [field.name for field in empty.fields]
    if event.body["places"] == places and event.body["fields"] == fields:
        return RowsChanged(rows["time"], rows["values"])
    shape = (len(rows["time"]), len(places), len(fields))
    values_CNF = np.full(shape, np.nan, np.float32)
    for f, name in enumerate(fields):
        if name in event.body["fields"]:
            old_f = event.body["fields"].index(name)
            values_CNF[:, :, f] = _by_name(
                rows["values"][:, :, old_f], event.body["places"], places
            )
    return RowsChanged(rows["time"], values_CNF)


def _by_name(values_CN: Floats, old: Sequence[str], new: Sequence[str]) -> Floats:
    """Columns in the order of the new names; NaN where there was none."""
    where = {place: index for index, place in enumerate(old)}
    found = np.full((len(values_CN), len(new)), np.nan, np.float32)
    for index, place in enumerate(new):
        if place in where:
            found[:, index] = values_CN[:, where[place]]
    return found
