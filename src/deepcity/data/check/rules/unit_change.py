"""A unit that changes midway: from one day on, all values are multiplied by a known factor.

Real changes have factors too (a lockdown, a closed road), but not exactly 3.6, not from one
day to the next at all hours alike, and not in quiet hours as much as in busy ones. Wind and
rain vary from week to week anyway: `weather_unit_change` checks them over months.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles
from deepcity.city.field import Field, Kind
from deepcity.city.units import convert
from deepcity.data.check.conversions import confusions_of
from deepcity.data.check.daily import DailySeries, daily_series, window_medians
from deepcity.data.check.level_shifts import all_moved, first_day, middle_of_days
from deepcity.data.check.rules import View, weather_unit_change
from deepcity.data.findings import Finding, RuleEvidence

WINDOW = 7  # days before and after: whole weeks, so that weekdays weigh alike
MIN_FACTOR = 1.2  # smaller factors cannot be distinguished from real changes
TOLERANCE = 0.07  # largest distance of the quantiles' factors from the known one, in logarithms
LARGE_FACTOR, LARGE_FACTOR_TOLERANCE = (
    30.0,
    0.35,
)  # no real change is as large, so quantiles may agree less
PERCENT, MOST_SHARE = 100.0, 1.5  # a car park may be a little more than full
PERCENT_TOLERANCE = 1.1  # largest distance of the ratio of both medians from 100, in logarithms
MIN_SIGNAL_RATIO = 5.0  # least ratio of the factor to the usual shift between two weeks


@dataclass(frozen=True)
class UnitShift:
    """One place's change: its day, and the unit that fits the values after (or before) it."""

    day: int
    unit: str
    back: bool  # the other unit comes first
    above_share: bool = False  # detected by values above any share, not by a factor of all hours


def find_warnings(view: View) -> Iterable[Finding]:
    """Places whose values change by the factor between two units."""
    for f in range(len(view.panel.fields)):
        candidates = (
            [] if view.panel.fields[f].kind in weather_unit_change.KINDS else _candidates(view, f)
        )
        values_TN = view.values_TN(f)
        days = daily_series(view.panel, values_TN) if candidates else None
        if days is None or len(days.day_D) < 2 * WINDOW:
            continue
        most = _most_share(view.panel.fields[f])
        found = {n: _shift(days, n, candidates, most) for n in range(values_TN.shape[1])}
        for shift in dict.fromkeys(s for s in found.values() if s is not None):
            places = [n for n, s in found.items() if s == shift]
            at_s = view.second(int(days.first_D[min(shift.day, len(days.first_D) - 1)]))
            span = (None, at_s) if shift.back else (at_s, None)
            seen = RuleEvidence(span[0], span[1], unit=shift.unit, stated=view.units_F[f])
            yield view.warn("unit-change", f, places, _text(view, f, days, shift), evidence=seen)


def _candidates(view: View, f: int) -> list[tuple[str, float, float]]:
    """Units with the factor and offset by which their values differ."""
    field = view.panel.fields[f]
    found = confusions_of(field, view.units_F[f])
    return [
        (m.unit, m.factor, m.offset)
        for m in found
        if m.offset or max(m.factor, 1 / m.factor) >= MIN_FACTOR
    ]


def _most_share(field: Field) -> float | None:
    """The largest plausible share, in the panel's unit; None for other kinds."""
    if field.kind is not Kind.SHARE:
        return None
    return float(convert(np.array([MOST_SHARE]), "1", field.unit)[0])


def _shift(
    days: DailySeries, n: int, candidates: list[tuple[str, float, float]], most: float | None
) -> UnitShift | None:
    """The change of one place, or None; if several fit, the one that affects the fewest days."""
    values_DS = days.values_DSN[:, :, n]
    if np.isfinite(values_DS).sum() < 2 * WINDOW * 8:
        return None
    found: list[UnitShift] = []
    for unit, factor, offset in candidates:
        days_ = _by_offset(values_DS, factor, offset) if offset else _by_factor(values_DS, factor)
        found += [UnitShift(abs(day), unit, day < 0) for day in days_]
        if most is not None and np.isclose(factor, PERCENT) and not days_:
            above = _by_bound(values_DS, most)
            found += [UnitShift(abs(day), unit, day < 0, above_share=True) for day in above]
    count = len(values_DS)
    return min(found, key=lambda s: s.day if s.back else count - s.day, default=None)


def _by_factor(values_DS: Doubles, factor: float) -> list[int]:
    """Days from which (negative: until which) values are `factor` times what they should be."""
    middle_D = middle_of_days(np.where(values_DS > 0, values_DS, np.nan))
    with np.errstate(divide="ignore", invalid="ignore"):
        level_D = np.log(middle_D)
    before_D, after_D = window_medians(level_D, WINDOW)
    moved_D = after_D - before_D
    usual = 1.4826 * float(np.nanmedian(np.abs(moved_D))) if np.isfinite(moved_D).any() else 0.0
    exact = LARGE_FACTOR_TOLERANCE if max(factor, 1 / factor) >= LARGE_FACTOR else TOLERANCE
    if abs(np.log(factor)) < MIN_SIGNAL_RATIO * usual:
        return []
    found: list[int] = []
    for sign in (1, -1):
        off_D = np.abs(moved_D - sign * np.log(factor))
        for day in np.argsort(off_D)[: 2 * WINDOW]:
            if off_D[day] < exact and all_moved(
                values_DS, int(day), sign * np.log(factor), exact, WINDOW
            ):
                found.append(sign * first_day(level_D, int(day), sign * np.log(factor), WINDOW))
                break
    return found


def _by_bound(values_DS: Doubles, most: float) -> list[int]:
    """Days from which (negative: until which) shares above 0 are 100 times too large.

    For records with many zeros, whose daily medians cannot be compared.
    """
    size_DS = np.where(np.isfinite(values_DS), np.abs(values_DS), 0.0)
    above = np.flatnonzero(size_DS.max(axis=1) > most)
    if not len(above):
        return []
    found = []
    for day, odd_DS, rest_DS in (
        (int(above[0]), size_DS[above[0] :], size_DS[: above[0]]),
        (-int(above[-1]) - 1, size_DS[: above[-1] + 1], size_DS[above[-1] + 1 :]),
    ):
        odd, rest = odd_DS[odd_DS > 0], rest_DS[rest_DS > 0]
        if min(len(odd_DS), len(rest_DS)) < WINDOW or min(len(odd), len(rest)) < 2 * WINDOW:
            continue
        apart = abs(np.log(np.median(odd) / np.median(rest) / PERCENT))
        if apart < PERCENT_TOLERANCE and np.mean(odd > most) > 0.5:
            found.append(day)
    return found


def _by_offset(values_DS: Doubles, factor: float, offset: float) -> list[int]:
    """The same for temperatures: values after the day fit those before only once converted."""
    level_D = middle_of_days(values_DS)
    before_D, after_D = window_medians(level_D, WINDOW)
    moved_D = after_D - before_D
    usual = 1.4826 * float(np.nanmedian(np.abs(moved_D))) if np.isfinite(moved_D).any() else 0.0
    found: list[int] = []
    for sign in (1, -1):
        true_D, odd_D = (before_D, after_D) if sign > 0 else (after_D, before_D)
        left_D = np.abs((odd_D - offset) / factor - true_D)
        fits_D = (left_D < 0.3 * np.abs(moved_D)) & (
            np.abs(moved_D) > max(12.0, MIN_SIGNAL_RATIO * usual)
        )
        if fits_D.any():
            day = int(np.nanargmin(np.where(fits_D, left_D, np.nan)))
            found.append(sign * first_day(level_D, day, float(moved_D[day]), WINDOW))
    return found


def _text(view: View, f: int, days: DailySeries, shift: UnitShift) -> str:
    field, stated = view.panel.fields[f], view.units_F[f]
    when = view.when(int(days.first_D[min(shift.day, len(days.first_D) - 1)]))[:10]
    side = "until" if shift.back else "from"
    seen = (
        f"most are above {MOST_SHARE:.0%} there and 100 times those of the other days"
        if shift.above_share
        else "all hours change at once by the factor between the two"
    )
    return (
        f"values look like {shift.unit} {side} {when} and like {stated} "
        f"{'after' if shift.back else 'before'}: {seen}; split the source there, or correct the "
        f"records ({field.kind.value})"
    )
