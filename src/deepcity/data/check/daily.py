"""A panel's series as days: one row per day, one column per hour, for checks that compare days.

Shapes: T steps, N places, D days, S hours of a day (24).
"""

from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Bools, Doubles, Ints
from deepcity.city.clock import DAY_S
from deepcity.city.field import Kind
from deepcity.data.panel import Panel
from deepcity.data.timestamps.zones import standard_offset_s

HOUR_S = 3600
HOURS = 24

SOLAR_KINDS = {Kind.TEMPERATURE, Kind.HUMIDITY, Kind.WIND, Kind.PRESSURE, Kind.RAIN}
"""Kinds whose daily pattern follows the sun: daylight saving does not shift it."""


@dataclass(frozen=True)
class DailySeries:
    """Hourly means by day.

    Attributes:
        values_DSN: NaN where an hour holds no value.
        first_D: step of the panel at which each day begins.
        day_D: days since 1970, Monday is day 4.
    """

    values_DSN: Doubles
    first_D: Ints
    day_D: Ints

    @property
    def weekend_D(self) -> Bools:
        """True on Saturdays and Sundays."""
        return (self.day_D + 3) % 7 >= 5


def daily_series(
    panel: Panel, values_TN: Doubles, *, solar_time: bool = False
) -> DailySeries | None:
    """One field's days in local time, or in standard time; None for steps over an hour."""
    if panel.clock.step_s > HOUR_S or len(panel.time_T) == 0:
        return None
    if solar_time:
        offset_s = standard_offset_s(panel.clock.time_zone, int(panel.time_T[0]))
        local_T = panel.time_T + offset_s
    else:
        local_T = panel.clock.local_seconds(panel.time_T)
    days, first = np.unique(local_T // DAY_S, return_index=True)
    count = int(days[-1] - days[0]) + 1
    cell_T = (local_T // DAY_S - days[0]) * HOURS + local_T % DAY_S // HOUR_S
    known_TN = np.isfinite(values_TN)
    total, known = (np.zeros((count * HOURS, values_TN.shape[1])) for _ in range(2))
    np.add.at(total, cell_T, np.where(known_TN, values_TN, 0.0))
    np.add.at(known, cell_T, known_TN)
    means = np.where(known > 0, total / np.maximum(known, 1), np.nan)
    whole = np.arange(days[0], days[-1] + 1)
    first_D = first[np.minimum(np.searchsorted(days, whole), len(days) - 1)]
    return DailySeries(means.reshape(count, HOURS, -1), first_D.astype(np.int64), whole)


def window_medians(series_D: Doubles, width: int) -> tuple[Doubles, Doubles]:
    """Medians of the `width` days before each day, and of those from it on, (D, ...) each.

    NaN where less than half of a window's days are known.
    """
    pad = [(width, width), *[(0, 0)] * (series_D.ndim - 1)]
    padded = np.pad(series_D, pad, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=0)
    known = np.isfinite(windows).sum(axis=-1)
    filled = np.where(np.isfinite(windows), windows, np.inf)
    ordered = np.sort(filled, axis=-1)
    middle = [np.maximum(known - 1, 0) // 2, np.maximum(known, 1) // 2]
    picked = [np.take_along_axis(ordered, m[..., None], axis=-1)[..., 0] for m in middle]
    with np.errstate(invalid="ignore"):
        median = np.where(known * 2 >= width, (picked[0] + picked[1]) / 2, np.nan)
    count = len(series_D)
    return median[:count], median[width : width + count]
