"""One place that changes its level from a day on, while the other places do not.

A counter that was re-aimed counts 45 % of what it did, at all hours alike and for good. A street
that was closed changes its hours too, or comes back, and a storm reaches all places: these are
no faults. Where the factor is that of two units, `unit_change` tells it.

Shapes: D days, S hours of a day, N places.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles
from deepcity.city.field import Kind
from deepcity.data.check.conversions import confusions_of
from deepcity.data.check.daily import DailySeries, daily_series, window_medians
from deepcity.data.check.level_shifts import all_moved, first_day
from deepcity.data.check.rules import View
from deepcity.data.findings import Finding, RuleEvidence

KINDS = {Kind.COUNT, Kind.FLOW, Kind.LOAD, Kind.ENERGY, Kind.CONCENTRATION, Kind.SPEED}
WINDOW = 14  # days before and after: two whole weeks
MIN_SHIFT = 0.35  # least logarithm of the factor: to 70 %, or to 142 %
MIN_SIGNAL_RATIO = 5.0  # least ratio to the usual shift between two fortnights
MAX_OTHERS = 0.25  # largest share of the shift that the other places make as well
MIN_LASTING = 0.7  # least share of the shift that is left over all other days
MIN_CLEAR_DAYS = 0.9  # least share of days nearer to the level of their own side
TOLERANCE = 0.15  # largest distance of quiet and busy hours' factors, in logarithms
SAME_FACTOR = 0.07  # a known factor between two units is as near
MAX_SHARE = 0.34  # largest share of places that may change together


@dataclass(frozen=True)
class LevelStep:
    """A place's change: its first day, and the logarithm of its factor."""

    day: int
    shift: float


def find_warnings(view: View) -> Iterable[Finding]:
    """Places whose level changes for good while that of the others does not."""
    for f, field in enumerate(view.panel.fields):
        if field.kind not in KINDS or len(view.panel.places) < 2:
            continue
        days = daily_series(view.panel, view.values_TN(f))
        if days is None or len(days.day_D) < 3 * WINDOW:
            continue
        for n, step in _steps(days, _known_factors(view, f)).items():
            first = int(days.first_D[step.day])
            text = (
                f"from {view.day(first)} on about {np.exp(step.shift):.0%} of before at all hours, "
                f"while the other places stay as they were: another sensor, position or "
                f"sensitivity? If so, give it a place of its own from then on, or leave out what "
                f"was before"
            )
            seen = RuleEvidence(view.second(first), factor=float(np.exp(step.shift)))
            yield view.warn("level-step", f, [n], text, view.day(first), seen)


def _known_factors(view: View, f: int) -> list[float]:
    field = view.panel.fields[f]
    found = confusions_of(field, view.units_F[f])
    return [abs(float(np.log(one.factor))) for one in found]


def _steps(days: DailySeries, known_factors: list[float]) -> dict[int, LevelStep]:
    level_DN = _levels(days.values_DSN)
    known_N = np.isfinite(level_DN).sum(axis=0) >= 2 * WINDOW
    centred_DN = level_DN - _median(level_DN)
    found: dict[int, LevelStep] = {}
    for n in np.flatnonzero(known_N).tolist():
        others_N = known_N.copy()
        others_N[n] = False
        if not others_N.any():
            continue
        others_D = _median(centred_DN[:, others_N].T)
        step = _step(days.values_DSN[:, :, n], level_DN[:, n], others_D, known_factors)
        if step is not None:
            found[n] = step
    most = max(1, int(MAX_SHARE * known_N.sum()))
    return {
        n: step
        for n, step in found.items()
        if sum(abs(step.day - other.day) <= WINDOW // 2 for other in found.values()) <= most
    }


def _levels(values_DSN: Doubles) -> Doubles:
    """Logarithm of each day's mean, (D, N); NaN where half of its hours are missing, or all 0."""
    known_DN = np.isfinite(values_DSN).sum(axis=1)
    total_DN = np.nansum(np.where(values_DSN > 0, values_DSN, 0.0), axis=1)
    usable = (known_DN * 2 >= values_DSN.shape[1]) & (total_DN > 0)
    mean_DN = np.where(usable, total_DN / np.maximum(known_DN, 1), np.nan)
    return np.asarray(np.log(mean_DN))


def _median(values_DX: Doubles) -> Doubles:
    """Medians over the first axis; NaN where nothing is known."""
    known_X = np.isfinite(values_DX).any(axis=0)
    found_X = np.full(values_DX.shape[1:], np.nan)
    found_X[known_X] = np.nanmedian(values_DX[:, known_X], axis=0)
    return found_X


def _step(
    values_DS: Doubles, level_D: Doubles, others_D: Doubles, known_factors: list[float]
) -> LevelStep | None:
    """The largest change of one place, if it is one of its own, sudden and for good."""
    apart_D = level_D - others_D
    before_D, after_D = window_medians(apart_D, WINDOW)
    shift_D = after_D - before_D
    if not np.isfinite(shift_D).any():
        return None
    at = int(np.nanargmax(np.abs(shift_D)))
    shift = float(shift_D[at])
    usual = 1.4826 * float(np.nanmedian(np.abs(shift_D)))
    if abs(shift) < max(MIN_SHIFT, MIN_SIGNAL_RATIO * usual):
        return None
    day = first_day(apart_D, at, shift, WINDOW)
    sudden = _is_own(level_D, others_D, day, shift) and _lasts(apart_D, day, shift)
    if not sudden or any(abs(abs(shift) - known) < SAME_FACTOR for known in known_factors):
        return None
    own = float(_shift_at(level_D, day))
    return LevelStep(day, shift) if all_moved(values_DS, day, own, TOLERANCE, WINDOW) else None


def _shift_at(level_D: Doubles, day: int) -> float:
    """The level of the fortnight from a day on, minus that of the one before; NaN if unknown."""
    sides = level_D[max(0, day - WINDOW) : day], level_D[day : day + WINDOW]
    if not all(np.isfinite(side).any() for side in sides):
        return float("nan")
    return float(np.nanmedian(sides[1]) - np.nanmedian(sides[0]))


def _is_own(level_D: Doubles, others_D: Doubles, day: int, shift: float) -> bool:
    """Whether the place itself changes, and the others do not."""
    own, others = _shift_at(level_D, day), _shift_at(others_D, day)
    return abs(others) <= MAX_OTHERS * abs(shift) and own / shift >= 1 - MAX_OTHERS


def _lasts(apart_D: Doubles, day: int, shift: float) -> bool:
    """Whether days before and after are apart, near the change and over the whole record."""
    before, after = apart_D[:day], apart_D[day:]
    before, after = before[np.isfinite(before)], after[np.isfinite(after)]
    if min(len(before), len(after)) < WINDOW:
        return False
    middle = (np.median(before[-WINDOW:]) + np.median(after[:WINDOW])) / 2
    near = np.concatenate([middle - before[-2 * WINDOW :], after[: 2 * WINDOW] - middle])
    clear = float(np.mean(near * np.sign(shift) > 0))
    lasting = (np.median(after) - np.median(before)) / shift
    return clear >= MIN_CLEAR_DAYS and bool(lasting >= MIN_LASTING)
