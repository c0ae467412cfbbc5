"""A unit that differs between places or agencies of a city that measure the same quantity.

Weather is nearly the same all over a city, hour by hour, so a deviating series stands out.
Free-flow speeds of similar roads are close. Amounts (counts, flows, loads) differ by any factor
between places, so only a factor of 1,000 among places of similar size is reported.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles, Indices, Ints
from deepcity.city.field import Kind
from deepcity.data.check.conversions import confusions_of
from deepcity.data.check.rules import View
from deepcity.data.findings import Finding, RuleEvidence

SHARED = {Kind.TEMPERATURE, Kind.PRESSURE, Kind.HUMIDITY}
"""Kinds whose values agree all over a city, hour by hour."""

MIN_STEPS = 72  # least number of steps that two series share
MIN_IMPROVEMENT = 4.0  # how many times closer to the others a series must come by conversion
FREE_FLOW = (0.6, 0.75, 0.85, 0.95)  # quantiles of a road's speed unaffected by congestion
TOLERANCE = 0.08  # largest distance of each quantile's ratio from the known factor, in logarithms
MIN_SIGNAL_RATIO = 6.0  # least ratio of the factor to the usual distance between places
THOUSAND = (900.0, 1.2, 0.8)  # least factor, its tolerance, largest spread of places (log)
MAX_SHARE = 0.34  # largest share of places that may deviate; beyond it no majority is reliable


@dataclass(frozen=True)
class _Series:
    """One place's values of one kind, with where it comes from."""

    view: View
    field: int
    place: int
    time_T: Ints
    values_T: Doubles


def compare(views: Sequence[View]) -> Iterable[tuple[str, Finding]]:
    """Deviating weather series, over all agencies of the city."""
    for kind in sorted(SHARED):
        series = [s for view in views if not view.drafted for s in _series(view, kind)]
        if len(series) >= 2:
            yield from _compare(series)


def find_warnings(view: View) -> Iterable[Finding]:
    """Deviating speeds, loads, flows among an agency's own places."""
    for f, field in enumerate(view.panel.fields):
        if field.kind in SHARED or len(view.panel.places) < 4:
            continue
        for unit, factor in _factors(view, f):
            places = _outlying_places(view.values_TN(f), factor, field.kind)
            if 0 < len(places) <= MAX_SHARE * len(view.panel.places):
                text = _text(view, f, unit, "other places")
                seen = RuleEvidence(unit=unit, stated=view.units_F[f])
                yield view.warn("sibling-unit", f, places, text, evidence=seen)


def _factors(view: View, f: int) -> list[tuple[str, float]]:
    field = view.panel.fields[f]
    return [(m.unit, m.factor) for m in confusions_of(field, view.units_F[f])]


def _outlying_places(values_TN: Doubles, factor: float, kind: Kind) -> Indices:
    """Places that differ from the others by `factor` in both halves of the record."""
    half = len(values_TN) // 2
    early, late = (
        _places_off_by(part, factor, kind) for part in (values_TN[:half], values_TN[half:])
    )
    return np.intersect1d(early, late)


def _places_off_by(values_TN: Doubles, factor: float, kind: Kind) -> Indices:
    if kind is Kind.SPEED:
        exact, alike = TOLERANCE, 0.25
    elif max(factor, 1 / factor) >= THOUSAND[0]:
        exact, alike = THOUSAND[1], THOUSAND[2]
    else:
        return np.empty(0, dtype=np.intp)
    enough_N = (values_TN > 0).sum(axis=0) >= MIN_STEPS
    logs_QN = np.full((len(FREE_FLOW), values_TN.shape[1]), np.nan)
    for n in np.flatnonzero(enough_N):
        column = values_TN[:, n]
        logs_QN[:, n] = np.log(np.quantile(column[column > 0], FREE_FLOW))
    if enough_N.sum() < 4:
        return np.empty(0, dtype=np.intp)
    off_QN = logs_QN - np.nanmedian(logs_QN, axis=1, keepdims=True)
    usual = 1.4826 * float(np.nanmedian(np.abs(off_QN)))
    near_N = (np.abs(off_QN - np.log(factor)) < exact).all(axis=0)
    sure = usual < alike and abs(np.log(factor)) > MIN_SIGNAL_RATIO * usual
    return np.flatnonzero(near_N & enough_N & sure)


def _series(view: View, kind: Kind) -> Iterable[_Series]:
    for f, field in enumerate(view.panel.fields):
        if field.kind is kind:
            values_TN = view.values_TN(f)
            for n in range(values_TN.shape[1]):
                yield _Series(view, f, n, view.panel.time_T, values_TN[:, n])


def _compare(series: list[_Series]) -> Iterable[tuple[str, Finding]]:
    for one in series:
        other = _middle_of_others(one, series)
        both = np.isfinite(one.values_T) & np.isfinite(other)
        if both.sum() < MIN_STEPS:
            continue
        seen, true = one.values_T[both], other[both]
        apart = float(np.median(np.abs(seen - true)))
        field = one.view.panel.fields[one.field]
        for m in confusions_of(field, one.view.units_F[one.field]):
            left = float(np.median(np.abs((seen - m.offset) / m.factor - true)))
            if apart > MIN_IMPROVEMENT * left and apart > _natural_spread(field.kind):
                others = f"{len(series) - 1} other series of this city"
                text = _text(one.view, one.field, m.unit, others)
                units = RuleEvidence(unit=m.unit, stated=one.view.units_F[one.field])
                found = one.view.warn("sibling-unit", one.field, [one.place], text, evidence=units)
                yield one.view.agency, found
                break


def _natural_spread(kind: Kind) -> float:
    """Largest natural difference within a city, in any usual unit."""
    return 30.0 if kind is Kind.PRESSURE else 8.0


def _middle_of_others(one: _Series, series: list[_Series]) -> Doubles:
    """Median of all other series in this one's unit, at this one's times; NaN where unknown."""
    columns = []
    for other in series:
        if other is one:
            continue
        same = other.view.panel.fields[other.field].unit == one.view.panel.fields[one.field].unit
        column = np.full(len(one.time_T), np.nan)
        if same:
            _, ours, theirs = np.intersect1d(one.time_T, other.time_T, return_indices=True)
            column[ours] = other.values_T[theirs]
        columns.append(column)
    stack = np.stack(columns)
    known = np.isfinite(stack).any(axis=0)
    middle = np.full(len(one.time_T), np.nan)
    middle[known] = np.nanmedian(stack[:, known], axis=0)
    return middle


def _text(view: View, f: int, unit: str, others: str) -> str:
    stated = view.units_F[f]
    return (
        f"stated as {stated}, but agrees with {others} only if its records are in {unit}; "
        f"give it a field or agency of its own, or correct the records"
    )
