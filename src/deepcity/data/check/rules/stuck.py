"""A stuck sensor: one value for a day or longer where values keep changing, or zeros for weeks."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from deepcity.city.arrays import Doubles
from deepcity.city.clock import DAY_S
from deepcity.city.field import Kind
from deepcity.data.check.profile import longest_run
from deepcity.data.check.rules import View
from deepcity.data.findings import Finding, RuleEvidence, Severity

SLOW_KINDS = {Kind.LEVEL, Kind.SHARE, Kind.RAIN}
"""Kinds that may stay constant for days: free spaces, tanks, dry weather."""

MIN_STEPS = 24  # steps
MIN_MOVING_SHARE = (
    0.9  # least share of neighbouring values that differ, in a series that keeps changing
)
DEAD_DAYS = 14  # least number of days with zeros only
MAX_ZERO_SHARE = 0.2  # largest share of zeros among all other values


def find_warnings(view: View) -> Iterable[Finding]:
    """Places with only zeros for weeks, and places stuck at one value."""
    yield from _dead(view)
    yield from _stuck(view)


def _dead(view: View) -> Iterable[Finding]:
    """Zeros for weeks, day and night, where zeros are rare: a counter that did not count."""
    least = max(MIN_STEPS, DEAD_DAYS * DAY_S // view.panel.clock.step_s)
    for f, field in enumerate(view.panel.fields):
        if field.kind in SLOW_KINDS:
            continue
        values_TN = view.values_TN(f)
        found: dict[int, tuple[int, int]] = {}
        for n in range(values_TN.shape[1]):
            start, length = longest_run(np.where(values_TN[:, n] == 0, 1.0, np.nan))
            others = np.delete(values_TN[:, n], slice(start, start + length))
            others = others[np.isfinite(others)]
            if length >= least and len(others) and (others == 0).mean() < MAX_ZERO_SHARE:
                found[n] = (start, length)
        if found:
            start, length = max(found.values(), key=lambda run: run[1])
            text = (
                f"only zeros for {DEAD_DAYS} days or longer; the longest stretch is "
                f"{length:,} steps from {view.when(start)}: if nothing was measured then, leave "
                f"these rows out"
            )
            yield view.warn("dead", f, list(found), text, evidence=_longest(view, f, found))


def _stuck(view: View) -> Iterable[Finding]:
    """A stuck value above 0 (an empty street at night is no fault)."""
    step_s = view.panel.clock.step_s
    for f, field in enumerate(view.panel.fields):
        if field.kind in SLOW_KINDS:
            continue
        values_TN = view.values_TN(f)
        found: dict[int, tuple[int, int]] = {}
        for n in range(values_TN.shape[1]):
            start, length = longest_run(values_TN[:, n])
            if length * step_s >= DAY_S and length >= MIN_STEPS and _moves(values_TN[:, n]):
                found[n] = (start, length)
        if found:
            start, length = max(found.values(), key=lambda run: run[1])
            text = (
                f"stuck at one value for a day or longer; the longest is {length:,} steps from "
                f"{view.when(start)}: leave these rows out if the sensor was broken"
            )
            warning = view.warn("stuck", f, list(found), text, evidence=_longest(view, f, found))
            yield replace(warning, severity=Severity.NOTE)


def _longest(view: View, f: int, found: Mapping[int, tuple[int, int]]) -> RuleEvidence:
    """Where, when and at what value the longest stretch is."""
    place, (start, length) = max(found.items(), key=lambda one: one[1][1])
    value = float(view.panel.values_TNF[start, place, f])
    span = view.span(start, start + length)
    return RuleEvidence(*span, place=view.panel.places[place].id, value=value)


def _moves(values_T: Doubles) -> bool:
    known = values_T[np.isfinite(values_T)]
    return len(known) > 1 and bool((np.diff(known) != 0).mean() >= MIN_MOVING_SHARE)
