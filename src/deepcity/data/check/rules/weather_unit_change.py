"""A unit of wind or rain that changes midway, detected over months.

Windy weeks follow still ones, and most hours are dry, so weeks cannot be compared as in
`unit_change`. Four weeks on either side of a day can: all quantiles of the values above 0 move
by the factor between two units, and once this is undone, no other four weeks of the record
differ nearly as much. So a record must cover four months.

Shapes: D days, S hours of a day, Q quantiles.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles
from deepcity.city.field import Kind
from deepcity.data.check.conversions import confusions_of
from deepcity.data.check.daily import DailySeries, daily_series
from deepcity.data.check.rules import View
from deepcity.data.findings import Finding, RuleEvidence

WINDOW = 28  # days before and after
MIN_DAYS = 4 * WINDOW  # days of a record
QUANTILES = (0.25, 0.5, 0.75)  # of values above 0


@dataclass(frozen=True)
class ChangeThresholds:
    """What a kind needs before a change is reported; in logarithms, set on real records.

    Attributes:
        min_factor: smallest factor that can be distinguished from weather.
        min_values: least number of values above 0 in each window.
        tolerance: largest distance of the quantiles' median shift from the factor; each 1.5 times.
        signal_ratio: least ratio of the factor to the usual difference of windows.
        most: least ratio of the factor to their largest difference.
    """

    min_factor: float
    min_values: int
    tolerance: float
    signal_ratio: float
    most: float


KINDS = {
    Kind.WIND: ChangeThresholds(3.0, 30, 0.25, 6.0, 1.6),  # knots and mph resemble a windy month
    Kind.RAIN: ChangeThresholds(
        20.0, 16, 0.8, 3.0, 1.3
    ),  # inches; tenths of mm resemble a dry spring
}


def find_warnings(view: View) -> Iterable[Finding]:
    """Places whose wind or rain changes by the factor between two units."""
    for f, field in enumerate(view.panel.fields):
        thresholds = KINDS.get(field.kind)
        days = daily_series(view.panel, view.values_TN(f)) if thresholds is not None else None
        if thresholds is None or days is None or len(days.day_D) < MIN_DAYS:
            continue
        each = {
            n: _change(view, f, days.values_DSN[:, :, n], thresholds)
            for n in range(days.values_DSN.shape[2])
        }
        for places, unit, day in _together({n: one for n, one in each.items() if one}):
            at_s = view.second(int(days.first_D[abs(day)]))
            span = (at_s, None) if day > 0 else (None, at_s)
            seen = RuleEvidence(span[0], span[1], unit=unit, stated=view.units_F[f])
            yield view.warn("unit-change", f, places, _text(view, f, days, unit, day), "", seen)


def _together(found: dict[int, tuple[str, int]]) -> Iterable[tuple[list[int], str, int]]:
    """Places that change within two weeks of each other: the middle day, the unit of most."""
    left = dict(found)
    while left:
        days = sorted(day for _, day in left.values())
        most = max(days, key=lambda day: sum(abs(day - other) <= WINDOW // 2 for other in days))
        places = [n for n, (_, day) in left.items() if abs(day - most) <= WINDOW // 2]
        units = Counter(left.pop(n)[0] for n in places)
        yield places, units.most_common(1)[0][0], most


def _change(
    view: View, f: int, values_DS: Doubles, thresholds: ChangeThresholds
) -> tuple[str, int] | None:
    """The other unit, and the day from which (negative: until which) it fits; None: no change."""
    moved_DQ = _moves(values_DS, thresholds)
    if not np.isfinite(moved_DQ).any():
        return None
    field = view.panel.fields[f]
    fits: list[tuple[float, str, int]] = []
    for m in confusions_of(field, view.units_F[f]):
        for sign in (1, -1) if max(m.factor, 1 / m.factor) >= thresholds.min_factor else ():
            moved = sign * float(np.log(m.factor))
            off_D = np.abs(np.median(moved_DQ, axis=1) - moved)
            far_D = np.abs(moved_DQ - moved).max(axis=1)
            fit_D = (off_D < thresholds.tolerance) & (far_D < 1.5 * thresholds.tolerance)
            if fit_D.any():
                day = int(np.nanargmin(np.where(fit_D, off_D, np.nan)))
                if _stands_out(values_DS, day, moved, thresholds):
                    fits.append((float(off_D[day]), m.unit, sign * day))
    return min(fits)[1:] if fits else None


def _moves(values_DS: Doubles, thresholds: ChangeThresholds) -> Doubles:
    """How each quantile moves from the weeks before a day to those after, (D, Q); else NaN."""
    moved_DQ = np.full((len(values_DS), len(QUANTILES)), np.nan)
    for day in range(WINDOW, len(values_DS) - WINDOW + 1):
        sides = values_DS[day - WINDOW : day], values_DS[day : day + WINDOW]
        before, after = (side[side > 0] for side in sides)
        if min(len(before), len(after)) >= thresholds.min_values:
            moved_DQ[day] = np.log(np.quantile(after, QUANTILES) / np.quantile(before, QUANTILES))
    return moved_DQ


def _stands_out(values_DS: Doubles, day: int, moved: float, thresholds: ChangeThresholds) -> bool:
    """Whether the change exceeds all other changes of the record once it is undone."""
    back_DS = values_DS.copy()
    back_DS[day:] *= np.exp(-moved)
    left_D = np.abs(np.median(_moves(back_DS, thresholds), axis=1))
    usual, largest = 1.4826 * float(np.nanmedian(left_D)), float(np.nanmax(left_D))
    return abs(moved) > thresholds.signal_ratio * usual and abs(moved) > thresholds.most * largest


def _text(view: View, f: int, days: DailySeries, unit: str, day: int) -> str:
    when = view.when(int(days.first_D[abs(day)]))[:10]
    before, after = (view.units_F[f], unit) if day > 0 else (unit, view.units_F[f])
    return (
        f"values look like {before} before about {when} and like {after} after: four weeks on "
        f"either side differ by the factor between the two, and no other weeks nearly as much; "
        f"split the source there, or correct the records ({view.panel.fields[f].kind.value})"
    )
