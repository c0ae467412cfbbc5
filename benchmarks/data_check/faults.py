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
from deepcity.data.config.settings import TOTAL_AMOUNTS, TOTAL_RATES
from deepcity.data.panel import Panel

TOTALS = {*TOTAL_AMOUNTS, *TOTAL_RATES}
MULTIPLIED = {Kind.COUNT, Kind.FLOW, Kind.LOAD, Kind.ENERGY, Kind.CONCENTRATION, Kind.SPEED}


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
    bounded = {Kind.TEMPERATURE, Kind.PRESSURE, Kind.HUMIDITY, Kind.WIND, Kind.SPEED}
    mixed = _mixed(view, dice)
    if mixed is None or view.panel.fields[mixed[0]].kind not in bounded:
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


CODES = (998.0, 999.9, 1999.9, 9999.0, 65535.0, 32767.0, -1.0, -999.0, -9999.0, 9.96921e36)


def placeholder(view: View, dice: Dice) -> Fault | None:
    """Missing values of a place written as a number well beyond all others."""
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


def usual_code(view: View, dice: Dice) -> Fault | None:
    """A sensor's usual code for a missing value, scattered or in one stretch, at one place."""
    f, n = int(dice.integers(len(view.panel.fields))), int(dice.integers(len(view.panel.places)))
    values = view.panel.values_TNF.astype(np.float64)
    known = values[np.isfinite(values[:, n, f]), n, f]
    if len(known) < 500 or len(np.unique(known)) < 20:
        return None
    count = int(dice.integers(20, 60))
    start = int(dice.integers(len(values) - count))
    scattered = dice.choice(len(values), count, replace=False)
    rows = scattered if dice.random() < 0.5 else np.arange(start, start + count)
    values[rows, n, f] = float(dice.choice(CODES))
    return Fault(_changed(view.panel, values), view.panel.fields[f].name, ("placeholder",))


def running_total(view: View, dice: Dice) -> Fault | None:
    """Amounts given as a meter's total, with a reset now and then."""
    amounts = [f for f, field in enumerate(view.panel.fields) if field.kind in TOTALS]
    if not amounts:
        return None
    f = int(dice.choice(amounts))
    values = view.panel.values_TNF.astype(np.float64)
    total_TN = np.cumsum(np.maximum(np.nan_to_num(values[:, :, f]), 0.0), axis=0)
    for at in dice.choice(len(values), int(dice.integers(0, 3)), replace=False):
        total_TN[at:] -= total_TN[at]
    values[:, :, f] = np.where(np.isfinite(values[:, :, f]), total_TN, np.nan)
    return Fault(_changed(view.panel, values), view.panel.fields[f].name, ("running-total",))


def _siblings(view: View, dice: Dice) -> tuple[int, int] | None:
    """A field and a place of an agency with several, which has values most of the time."""
    f, n = int(dice.integers(len(view.panel.fields))), int(dice.integers(len(view.panel.places)))
    known_T = np.isfinite(view.panel.values_TNF[:, n, f])
    return (f, n) if len(view.panel.places) > 1 and known_T.mean() > 0.8 else None


def level_step(view: View, dice: Dice) -> Fault | None:
    """One place's sensitivity changes for good, by a third to threefold."""
    chosen = _siblings(view, dice)
    if chosen is None or not _long(view) or view.panel.fields[chosen[0]].kind not in MULTIPLIED:
        return None
    (f, n), at = chosen, _middle(view.panel, dice)
    values = view.panel.values_TNF.astype(np.float64)
    factor = float(np.exp(dice.choice([-1, 1]) * dice.uniform(0.45, 1.1)))
    changed = values[at:, n, f] * factor
    counted = view.panel.fields[f].kind is Kind.COUNT
    values[at:, n, f] = np.round(changed) if counted else changed
    right = ("level-step", "unit-change")
    return Fault(_changed(view.panel, values), view.panel.fields[f].name, right)


def gap_of_one_place(view: View, dice: Dice) -> Fault | None:
    """One place without values for 10 to 20 days."""
    chosen = _siblings(view, dice)
    per_day = view.panel.clock.steps_per_day
    length = int(dice.integers(10, 20)) * per_day
    if chosen is None or len(view.panel.time_T) < 3 * length:
        return None
    (f, n), values = chosen, view.panel.values_TNF.astype(np.float64)
    start = int(dice.integers(per_day, len(values) - length - per_day))
    values[start : start + length, n, f] = np.nan
    return Fault(_changed(view.panel, values), view.panel.fields[f].name, ("place-gap",))


def place_ends_or_begins(view: View, dice: Dice) -> Fault | None:
    """One place has values only in the last tenth of the record, or none there."""
    chosen = _siblings(view, dice)
    steps = len(view.panel.time_T)
    edge = max(steps // 10, 15 * view.panel.clock.steps_per_day)
    if chosen is None or steps < 28 * view.panel.clock.steps_per_day:
        return None
    (f, n), values = chosen, view.panel.values_TNF.astype(np.float64)
    late = bool(dice.random() < 0.5) and edge < steps / 5
    values[slice(None, -edge) if late else slice(-edge, None), n, f] = np.nan
    right = ("late-place",) if late else ("ended-place",)
    return Fault(_changed(view.panel, values), view.panel.fields[f].name, right)


def moved_sensor(view: View, dice: Dice) -> Fault | None:
    """One place's values go on under another name from a day on."""
    chosen, panel = _siblings(view, dice), view.panel
    if chosen is None or not _long(view) or panel.clock.step_s > 3600:
        return None
    (f, n), at = chosen, _middle(panel, dice)
    values = panel.values_TNF.astype(np.float64)
    new = np.full_like(values[:, :1], np.nan)
    new[at:, 0] = values[at:, n]
    values[at:, n] = np.nan
    places = (*panel.places, replace(panel.places[n], id="another"))
    values = np.concatenate([values, new], axis=1).astype(np.float32)
    changed = replace(panel, places=places, values_TNF=values, adjacency_NN=None)
    return Fault(changed, panel.fields[f].name, ("handover",), view.headers_F)


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
    """Records of people's days kept without summer time, and stamped with wall times."""
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
    "a sensor's code for missing": usual_code,
    "totals for amounts": running_total,
    "one place's level changes": level_step,
    "one place without values for weeks": gap_of_one_place,
    "one place begins late, or ends": place_ends_or_begins,
    "a sensor goes on under another name": moved_sensor,
    "clock an hour off from a day on": clock_from_a_day,
    "summer time ignored": summer_time_ignored,
    "one place's clock off": clock_of_one_place,
}
