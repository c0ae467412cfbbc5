"""What the same dates were like a year ago: how restful were they?

A day's restfulness is 0 where it went like the working days before it, 1 where it went like
their Sundays. Local feasts, school holidays and the weeks when a city empties come back on
the same dates, and no calendar lists them all.

Shapes: D days, S slots of a day, N places, Q sorts of days.
"""

import numpy as np

from deepcity.city.arrays import Floats, Ints
from deepcity.city.clock import DAY_S, Clock
from deepcity.learning.features.typical_day import DayGrid

_YEAR_DAYS = 364  # whole weeks
_AROUND_DAYS = 3
_LEAST, _MOST = -0.5, 1.5
_EPOCH = np.datetime64("1970-01-01", "D")
_LEAST_SPREAD = 1e-6


def restfulness(day_DSN: Floats, work_DSN: Floats, sunday_DSN: Floats) -> Floats:
    """How far each day went from a working day to a Sunday, (D, N); NaN where unknown."""
    direction = sunday_DSN - work_DSN
    deviation = day_DSN - work_DSN
    known = np.isfinite(direction) & np.isfinite(deviation)
    length = np.where(known, direction**2, 0.0).sum(axis=1)
    along = np.where(known, direction * deviation, 0.0).sum(axis=1)
    fraction = along / np.where(length > _LEAST_SPREAD, length, 1.0)
    return np.where(length > _LEAST_SPREAD, np.clip(fraction, _LEAST, _MOST), np.nan).astype("f4")


def last_year(
    restful_DN: Floats,
    day_types_DQ: Floats,
    clock: Clock,
    first_s: int,
    grid: DayGrid,
    known_days: int,
) -> Floats:
    """(D, N, 2): on days of a sort, and on all other working days; 0 where nothing is known.

    On a day of a sort (around holidays): restfulness of the same date a year ago less what is
    usual for its sort. On other working days: mean of those around the date a year ago.

    Args:
        day_types_DQ: see `deepcity.learning.features.day_types.day_types`.
        first_s: UTC second of the first step.
        known_days: days from here on are not looked at for what is usual.
    """
    special_D = day_types_DQ.max(axis=1) > 0
    usual_DN = _usual(restful_DN, day_types_DQ, known_days)
    same_D = _same_date(int(clock.local_seconds(np.array([first_s]))[0]) // DAY_S, grid.days)
    back_D = np.maximum(same_D, 0)
    date = np.where(special_D[back_D, None], restful_DN[back_D] - usual_DN[back_D], np.nan)
    date[(same_D < 0) | ~special_D] = np.nan
    plain = np.where(((grid.weekday_D < 5) & ~special_D)[:, None], restful_DN, np.nan)
    season = _around(plain)
    season[special_D | (grid.weekday_D >= 5)] = np.nan
    both = np.nan_to_num(np.stack([date, season], axis=-1))
    return np.asarray(both, dtype=np.float32)


def _usual(restful_DN: Floats, day_types_DQ: Floats, known_days: int) -> Floats:
    """Mean restfulness of the known days of each day's sort, (D, N); NaN on other days."""
    usual = np.full_like(restful_DN, np.nan)
    for of_type_D in day_types_DQ.T > 0:
        known = np.where(of_type_D[:known_days, None], restful_DN[:known_days], np.nan)
        count = np.isfinite(known).sum(axis=0)
        mean_N = np.nansum(known, axis=0) / np.maximum(count, 1)
        usual[of_type_D] = np.where(count > 0, mean_N, np.nan)
    return usual


def _same_date(first_day: int, days: int) -> Ints:
    """The day with the same date a year before, (D,); negative before the first."""
    date = _EPOCH + first_day + np.arange(days)
    month = date.astype("datetime64[M]")
    earlier = (month - 12).astype("datetime64[D]") + (date - month.astype("datetime64[D]"))
    return np.asarray((earlier - _EPOCH).astype(np.int64) - first_day)


def _around(plain_DN: Floats) -> Floats:
    """Mean over the days around the same weekday a year before, (D, N)."""
    days = len(plain_DN)
    gap = np.arange(days)[:, None] - _YEAR_DAYS - np.arange(days)[None, :]
    window = (np.abs(gap) <= _AROUND_DAYS).astype(np.float32)
    count = window @ np.isfinite(plain_DN).astype(np.float32)
    total = window @ np.nan_to_num(plain_DN)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
