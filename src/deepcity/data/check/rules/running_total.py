"""A running total taken for amounts: values that rise and rise, and never fall but at resets.

A meter's register, an odometer, rain since midnight: each value holds all that was counted
before. Amounts fall about as often as they rise, so a series that rises a hundred times and
falls once or twice is none.

Shapes: T steps, N places.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles, Ints
from deepcity.city.clock import DAY_S
from deepcity.data.check.rules import View
from deepcity.data.config.settings import TOTAL_AMOUNTS, TOTAL_RATES
from deepcity.data.findings import Finding
from deepcity.data.remedies import next_step, trials
from deepcity.data.remedies.cumulative import RunningTotal

MIN_RISES = 60  # least number of rises
MIN_DAYS = 2.0  # least span of the record
MAX_FALL_SHARE = 0.01  # falls among changes; beyond it each must be a reset to the start
MAX_FALLS_A_DAY = 1.1  # of resets to the start
RESET_SHARE = 0.1  # largest share of the value before that is left after a reset


@dataclass(frozen=True)
class _Falls:
    """How often a place's values fall, and the step of its first fall (-1: never)."""

    count: int
    first: int


def find_warnings(view: View) -> Iterable[Finding]:
    """Fields whose values only add up."""
    for f, field in enumerate(view.panel.fields):
        if field.kind not in (*TOTAL_AMOUNTS, *TOTAL_RATES):
            continue
        values_TN = view.values_TN(f)
        found = {
            n: falls
            for n in range(values_TN.shape[1])
            if (falls := _falls_of_total(values_TN[:, n], view.panel.time_T)) is not None
        }
        if found:
            yield view.warn("running-total", f, list(found), _text(view, f, found))


def is_running_total(values_T: Doubles, time_T: Ints) -> bool:
    """Whether a place's values only add up."""
    return _falls_of_total(values_T, time_T) is not None


def _falls_of_total(values_T: Doubles, time_T: Ints) -> _Falls | None:
    """The falls of a series that is a running total; None if it is none."""
    known = np.flatnonzero(np.isfinite(values_T))
    if len(known) < MIN_RISES:
        return None
    values = values_T[known]
    change = np.diff(values)
    rises, falls = int((change > 0).sum()), np.flatnonzero(change < 0)
    days = (time_T[known[-1]] - time_T[known[0]]) / DAY_S
    if rises < MIN_RISES or days < MIN_DAYS or not _adds_up(values, change, falls):
        return None
    few = len(falls) <= MAX_FALL_SHARE * (rises + len(falls))
    to_start = values[falls + 1] <= RESET_SHARE * np.abs(values[falls])
    daily = len(falls) <= MAX_FALLS_A_DAY * days + 1 and bool(to_start.all())
    if not few and not (daily and len(falls) <= rises / 8):
        return None
    return _Falls(len(falls), int(known[falls[0] + 1]) if len(falls) else -1)


def _adds_up(values: Doubles, change: Doubles, falls: Ints) -> bool:
    """Whether most of the height is climbed in many small steps."""
    up = change[change > 0]
    return bool(np.quantile(up, 0.9) < 0.2 * (values.max() - values.min()))


def _text(view: View, f: int, found: dict[int, _Falls]) -> str:
    most = max(found.values(), key=lambda one: one.count)
    how = "never falls"
    if most.count:
        first = min(one.first for one in found.values() if one.first >= 0)
        times = "once" if most.count == 1 else f"{most.count:,} times"
        how += f" but at resets ({times} at most, first {view.when(first)})"
    only = "" if len(found) == len(view.panel.places) else "; only at these places: give them "
    own = "a field of their own" if only else ""
    right = next_step(trials(_evidence(view, f, found)), "export what is added in each step")
    return (
        f"{how}: a running total? Then each value holds all that was counted before: "
        f"{right}{only}{own}"
    )


def _evidence(view: View, f: int, found: dict[int, _Falls]) -> RunningTotal:
    field, values_TN = view.panel.fields[f], view.values_TN(f)
    totals = [values_TN[:, n] for n in found]
    unit_in = TOTAL_RATES.get(field.kind, "")
    return RunningTotal(view.panel.time_T, totals, view.panel.clock.step_s, field.unit, unit_in)
