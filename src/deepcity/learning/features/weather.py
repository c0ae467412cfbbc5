"""Weather features that demand responds to: warmth, heat, rain and cold by local quantiles.

Shapes: T steps, D days, W weather features, C traits of a day.
"""

import numpy as np

from deepcity.city.arrays import Doubles, Floats
from deepcity.data.panel import Panel
from deepcity.data.windows import Span
from deepcity.learning.features.typical_day import DayGrid

_WARM, _HOT, _COLD = 0.65, 0.9, 0.02  # quantiles of the training temperatures
_LEAST_UNIT = 0.1  # kelvin
_DAYS_COLD = 0.05  # of daily means, which spread less than hours
FIELDS = ("temperature", "rain")
_TRANSITION_K = 3.0  # kelvin: how sharply rain begins to matter as it gets warm


def day_weather(weather: Panel, grid: DayGrid, train: Span) -> Floats:
    """(D, 7): warmth, heat, cold, temperature; rain of the day and of the day before where it
    is warm, and rain where it is not; about 0..2 each.

    Rain matters where gardens and fields are watered; warmth is relative to training days.
    """
    temperature, rain = (_by_day(filled(weather, field), grid) for field in FIELDS)
    learned = temperature[: int(grid.day_T[train.end - 1]) + 1]
    warm, hot, cold = np.quantile(learned, (_WARM, _HOT, _DAYS_COLD))
    unit = max(float(hot - warm), _LEAST_UNIT)
    rain = np.log1p(rain * grid.slots)
    before = np.concatenate([rain[:1], rain[:-1]])
    growing = 1 / (1 + np.exp(-(temperature - warm) / _TRANSITION_K))
    traits = [
        np.maximum(temperature - warm, 0.0) / unit,
        np.maximum(temperature - hot, 0.0) / unit,
        np.maximum(cold - temperature, 0.0) / unit,
        (temperature - learned.mean()) / max(float(learned.std()), _LEAST_UNIT),
        rain * growing,
        before * growing,
        rain * (1 - growing),
    ]
    return np.stack(traits, axis=1).astype(np.float32)


def _by_day(values_T: Doubles, grid: DayGrid) -> Doubles:
    """Mean of each day."""
    total = np.bincount(grid.day_T, values_T, minlength=grid.days)
    return np.asarray(total / np.bincount(grid.day_T, minlength=grid.days))


def filled(weather: Panel, field: str) -> Doubles:
    """A field of the first place, (T,), gaps interpolated: inputs may be filled, truths not."""
    values = weather.values_TNF[:, 0, weather.field_index(field)].astype(np.float64)
    known = np.flatnonzero(np.isfinite(values))
    return np.asarray(np.interp(np.arange(len(values)), known, values[known]))
