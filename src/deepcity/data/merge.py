"""Panels of one clock side by side: their places, their fields, and every step of any of them.

Shapes: T steps, N places, F fields.
"""

from collections.abc import Sequence

import numpy as np

from deepcity.city.field import Field
from deepcity.city.place import Place
from deepcity.data.panel import Panel


def merge_panels(panels: Sequence[Panel]) -> Panel:
    """One panel over the union of times, places and fields; NaN where none of them measured.

    Where two panels measured one value, the earlier panel's stands.

    Raises:
        ValueError: if there is no panel with steps, their clocks differ, their steps do not
            meet, or two fields (or places) of one name are not the same.
    """
    filled = [panel for panel in panels if len(panel.time_T)]
    start_s, steps = _span(filled)
    places, fields = _places(filled), _fields(filled)
    place_at = {place.id: n for n, place in enumerate(places)}
    field_at = {field.name: f for f, field in enumerate(fields)}
    clock = filled[0].clock
    values_TNF = np.full((steps, len(places), len(fields)), np.nan, dtype=np.float32)
    for panel in reversed(filled):
        where = np.ix_(
            (panel.time_T - start_s) // clock.step_s,
            np.array([place_at[place.id] for place in panel.places], dtype=np.int64),
            np.array([field_at[field.name] for field in panel.fields], dtype=np.int64),
        )
        values_TNF[where] = np.where(panel.mask_TNF, panel.values_TNF, values_TNF[where])
    time_T = start_s + np.arange(steps, dtype=np.int64) * clock.step_s
    return Panel(clock, time_T, places, fields, values_TNF)


def _span(panels: Sequence[Panel]) -> tuple[int, int]:
    if not panels:
        msg = "nothing to merge: give at least one panel with steps"
        raise ValueError(msg)
    clock = panels[0].clock
    for panel in panels[1:]:
        if panel.clock != clock:
            msg = f"clocks differ: {clock} and {panel.clock}; load both by one city file"
            raise ValueError(msg)
        if (panel.time_T[0] - panels[0].time_T[0]) % clock.step_s:
            msg = f"steps of {clock.step_s} s do not meet: one panel is shifted against the other"
            raise ValueError(msg)
    start_s = min(int(panel.time_T[0]) for panel in panels)
    end_s = max(int(panel.time_T[-1]) for panel in panels)
    return start_s, (end_s - start_s) // clock.step_s + 1


def _places(panels: Sequence[Panel]) -> tuple[Place, ...]:
    known: dict[str, Place] = {}
    for place in (place for panel in panels for place in panel.places):
        _see_same(known.setdefault(place.id, place), place)
    return tuple(known.values())


def _fields(panels: Sequence[Panel]) -> tuple[Field, ...]:
    known: dict[str, Field] = {}
    for field in (field for panel in panels for field in panel.fields):
        _see_same(known.setdefault(field.name, field), field)
    return tuple(known.values())


def _see_same(one: Place | Field, other: Place | Field) -> None:
    if one != other:
        msg = f"one name, two meanings: {one} and {other}; rename one of them"
        raise ValueError(msg)
