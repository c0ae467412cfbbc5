"""The faults that people put into records, at random places, times and sizes.

Each takes a clean view and gives the spoilt one, or None where it could not be put in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.data_check.cities import Dice
from deepcity.city.arrays import Doubles
from deepcity.city.field import Kind
from deepcity.data.check.conversions import UnitConfusion, confusions_of
from deepcity.data.check.rules import View
from deepcity.data.check.rules.header_unit import unit_in
from deepcity.data.panel import Panel


@dataclass(frozen=True)
class Fault:
    """A fault put in: the spoilt panel, the field it is in, and findings that would be right.

    Attributes:
        headers_F: of its columns, where they count.
    """

    panel: Panel
    field: str
    right: tuple[str, ...]
    headers_F: tuple[Mapping[int, str], ...] = ()


def _changed(panel: Panel, values_TNF: Doubles) -> Panel:
    return replace(panel, values_TNF=values_TNF.astype(np.float32))


def _middle(panel: Panel, dice: Dice) -> int:
    """A step somewhere in the middle, at least a fortnight from both ends where there is room."""
    per_day, steps = panel.clock.steps_per_day, len(panel.time_T)
    edge = min(15 * per_day, steps // 3)
    return int(dice.integers(edge, steps - edge))


def _long(view: View) -> bool:
    """Four weeks of hours or finer: what the reference asks for to see a change of days."""
    clock = view.panel.clock
    return clock.step_s <= 3600 and len(view.panel.time_T) >= 28 * clock.steps_per_day


def _mixed(view: View, dice: Dice) -> tuple[int, UnitConfusion] | None:
    """A field with a unit that it may be mixed up with."""
    options = [
        (f, m)
        for f, field in enumerate(view.panel.fields)
        for m in confusions_of(field, view.units_F[f])
        if np.isfinite(view.panel.values_TNF[:, :, f]).any()
    ]
    return options[int(dice.integers(len(options)))] if options else None


def wrong_unit(view: View, dice: Dice) -> Fault | None:
    """All records of a weather or road field in another unit."""
    judged = {Kind.TEMPERATURE, Kind.PRESSURE, Kind.HUMIDITY, Kind.WIND, Kind.SPEED}
    mixed = _mixed(view, dice)
    if mixed is None or view.panel.fields[mixed[0]].kind not in judged:
        return None
    f, m = mixed
    values = view.panel.values_TNF.astype(np.float64)
    values[:, :, f] = values[:, :, f] * m.factor + m.offset
    name = view.panel.fields[f].name
    return Fault(_changed(view.panel, values), name, ("wrong-unit",))


def wrong_unit_by_header(view: View, dice: Dice) -> Fault | None:
    """The same of any field whose columns name units: they name the one its records are in."""
    mixed = _mixed(view, dice)
    if mixed is None or not view.headers_F:
        return None
    f, m = mixed
    field, headers = view.panel.fields[f], list(view.headers_F)
    if not any(unit_in(text, field.kind) for text in headers[f].values()):
        return None
    values = view.panel.values_TNF.astype(np.float64)
    values[:, :, f] = values[:, :, f] * m.factor + m.offset
    headers[f] = dict.fromkeys(headers[f], f"{field.name} ({m.unit})")
    return Fault(_changed(view.panel, values), field.name, ("header-unit",), tuple(headers))


def unit_at_one_place(view: View, dice: Dice) -> Fault | None:
    """One place of several in another unit: speeds, or a thousand in loads."""
    mixed = _mixed(view, dice)
    if mixed is None or len(view.panel.places) < 4:
        return None
    f, m = mixed
    if view.panel.fields[f].kind is not Kind.SPEED and max(m.factor, 1 / m.factor) < 900:
        return None
    n = int(dice.integers(len(view.panel.places)))
    values = view.panel.values_TNF.astype(np.float64)
    values[:, n, f] = values[:, n, f] * m.factor + m.offset
    right = ("sibling-unit", "wrong-unit")
    return Fault(_changed(view.panel, values), view.panel.fields[f].name, right)


def unit_change(view: View, dice: Dice) -> Fault | None:
    """A place's unit changes half-way."""
    mixed = _mixed(view, dice)
    if mixed is None or not _long(view):
        return None
    f, m = mixed
    n, at = int(dice.integers(len(view.panel.places))), _middle(view.panel, dice)
    values = view.panel.values_TNF.astype(np.float64)
    values[at:, n, f] = values[at:, n, f] * m.factor + m.offset
    return Fault(_changed(view.panel, values), view.panel.fields[f].name, ("unit-change",))


def columns_from_a_day(view: View, dice: Dice) -> Fault | None:
    """Every value stands one column too far from a day on."""
    fields, places = len(view.panel.fields), len(view.panel.places)
    if max(fields, places) < 3 or not _long(view):
        return None
    axis = 2 if fields > 2 else 1
    at = _middle(view.panel, dice)
    values = view.panel.values_TNF.astype(np.float64)
    values[at:] = np.roll(values[at:], int(dice.choice([-1, 1])), axis=axis)
    return Fault(_changed(view.panel, values), view.panel.fields[0].name, ("shifted",))


def columns_in_rows(view: View, dice: Dice) -> Fault | None:
    """A few rows of a table of fields stand one column too far."""
    if len(view.panel.fields) < 3:
        return None
    rows = dice.choice(len(view.panel.time_T), int(dice.integers(1, 12)), replace=False)
    values = view.panel.values_TNF.astype(np.float64)
    shift = int(dice.choice([-1, 1]))
    for row in rows:
        values[row] = np.roll(values[row], shift, axis=-1)
    return Fault(_changed(view.panel, values), view.panel.fields[0].name, ("shifted",))


def lost_decimals(view: View, dice: Dice) -> Fault | None:
    """A few values of one place ten, a hundred or a thousand times too large."""
    f, n = int(dice.integers(len(view.panel.fields))), int(dice.integers(len(view.panel.places)))
    values = view.panel.values_TNF.astype(np.float64)
    known = np.flatnonzero(np.isfinite(values[:, n, f]) & (values[:, n, f] != 0))
    fractions = values[known, n, f] != np.round(values[known, n, f])
    if len(known) < 500 or fractions.mean() < 0.5:
        return None
    rows = dice.choice(known, int(dice.integers(5, 1 + len(known) // 50)), replace=False)
    values[rows, n, f] *= float(dice.choice([10, 100, 1000]))
    return Fault(_changed(view.panel, values), view.panel.fields[f].name, ("decimal",))


def placeholder(view: View, dice: Dice) -> Fault | None:
    """Missing values of a place written as a number."""
    f, n = int(dice.integers(len(view.panel.fields))), int(dice.integers(len(view.panel.places)))
    values = view.panel.values_TNF.astype(np.float64)
    top = np.nanmax(np.abs(values[:, n, f])) if np.isfinite(values[:, n, f]).any() else np.nan
    if not top > 0:
        return None
    nines = 10.0 ** (np.ceil(np.log10(top)) + 2) - 1
    rows = dice.choice(len(values), int(dice.integers(3, 40)), replace=False)
    values[rows, n, f] = float(dice.choice([-nines, nines]))
    right = ("placeholder", "decimal")
    return Fault(_changed(view.panel, values), view.panel.fields[f].name, right)


def _late(values_TN: Doubles, steps: int) -> Doubles:
    """The series `steps` later."""
    out = np.full_like(values_TN, np.nan)
    if steps > 0:
        out[steps:] = values_TN[:-steps]
    else:
        out[:steps] = values_TN[-steps:]
    return out


def clock_from_a_day(view: View, dice: Dice) -> Fault | None:
    """All places an hour early or late from a day on, or for some weeks."""
    if not _long(view):
        return None
    hour = 3600 // view.panel.clock.step_s
    at = _middle(view.panel, dice)
    until = at + int(dice.integers(21, 120)) * view.panel.clock.steps_per_day
    values = view.panel.values_TNF.astype(np.float64)
    moved = _late(values, hour * int(dice.choice([-1, 1])))
    values[at:until] = moved[at:until]
    f = int(dice.integers(len(view.panel.fields)))
    return Fault(_changed(view.panel, values), view.panel.fields[f].name, ("clock",))


def summer_time_ignored(view: View, dice: Dice) -> Fault | None:
    """Records of people's days kept without summer time, and told as wall times."""
    panel, fields = view.panel, view.panel.fields
    people = [f for f, field in enumerate(fields) if field.kind in {Kind.COUNT, Kind.SPEED}]
    offset_T = panel.clock.local_seconds(panel.time_T) - panel.time_T
    share = float((offset_T == offset_T.max()).mean())
    if panel.clock.step_s > 3600 or not people or not 0.2 < share < 0.8:
        return None
    values = panel.values_TNF.astype(np.float64)
    early = _late(values, -3600 // panel.clock.step_s)
    summer_T = offset_T == offset_T.max()
    values[summer_T] = early[summer_T]
    return Fault(_changed(panel, values), fields[people[0]].name, ("clock",))


def clock_of_one_place(view: View, dice: Dice) -> Fault | None:
    """One place of several an hour or more off throughout."""
    if not _long(view) or len(view.panel.places) < 4:
        return None
    hour = 3600 // view.panel.clock.step_s
    n, f = int(dice.integers(len(view.panel.places))), int(dice.integers(len(view.panel.fields)))
    values = view.panel.values_TNF.astype(np.float64)
    hours = int(dice.choice([-2, -1, 1, 2, 8]))
    values[:, n] = _late(values[:, n], hour * hours)
    return Fault(_changed(view.panel, values), view.panel.fields[f].name, ("sibling-clock",))


FAULTS: dict[str, Callable[[View, Dice], Fault | None]] = {
    "wrong unit throughout": wrong_unit,
    "the same, where the header names the right one": wrong_unit_by_header,
    "wrong unit at one place": unit_at_one_place,
    "unit changes half-way": unit_change,
    "columns shifted from a day on": columns_from_a_day,
    "columns shifted in 1-11 rows": columns_in_rows,
    "lost decimal signs": lost_decimals,
    "numbers for missing": placeholder,
    "clock an hour off from a day on": clock_from_a_day,
    "summer time ignored": summer_time_ignored,
    "one place's clock off": clock_of_one_place,
}
