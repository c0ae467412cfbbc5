"""Weather as people answer it: warmth, heat, rain and cold, as this place knows them.

Shapes: T steps, D days, W weather features, C traits of a day.
"""

import numpy as np
from numpy.typing import NDArray

from deepcity.data.panel import Panel
from deepcity.data.windows import Span
from deepcity.learning.typical_day import DayGrid

Floats = NDArray[np.float32]
_WARM, _HOT, _COLD = 0.65, 0.9, 0.02  # quantiles of the temperatures learned from
_LEAST_UNIT = 0.1  # kelvin
_DAYS_COLD = 0.05  # of daily means, which spread less than hours
_FIELDS = ("temperature", "rain")
_TURN = 3.0  # kelvin: how sharply rain begins to matter as it gets warm


def weather_features(weather: Panel | None, steps: int, train: Span) -> Floats:
    """(T, 5): warmth, heat, rain, rain of the day before, cold; about 0..2 each.

    What is warm, hot and cold here, the training span's own temperatures say.
    """
    if weather is None:
        return np.zeros((steps, 0), np.float32)
    temperature = _filled(weather, "temperature")
    warm, hot, cold = np.quantile(temperature[train.start : train.end], (_WARM, _HOT, _COLD))
    unit = max(float(hot - warm), _LEAST_UNIT)
    rain = np.log1p(_day_sum(_filled(weather, "rain"), weather.clock.steps_per_day))
    before = np.concatenate([np.repeat(rain[:1], weather.clock.steps_per_day), rain])[: len(rain)]
    over = [np.maximum(temperature - warm, 0.0), np.maximum(temperature - hot, 0.0)]
    under = np.maximum(cold - temperature, 0.0)
    columns = [over[0] / unit, over[1] / unit, rain, before, under / unit]
    return np.stack(columns, axis=1).astype(np.float32)


def day_weather(weather: Panel, grid: DayGrid, train: Span) -> Floats:
    """(D, 7): warmth, heat, cold, temperature; rain of the day and of the day before where it
    is warm, and rain where it is not; about 0..2 each.

    Rain matters where people water what grows; training days say what is warm here.
    """
    temperature, rain = (_by_day(_filled(weather, field), grid) for field in _FIELDS)
    learned = temperature[: int(grid.day_T[train.end - 1]) + 1]
    warm, hot, cold = np.quantile(learned, (_WARM, _HOT, _DAYS_COLD))
    unit = max(float(hot - warm), _LEAST_UNIT)
    rain = np.log1p(rain * grid.slots)
    before = np.concatenate([rain[:1], rain[:-1]])
    growing = 1 / (1 + np.exp(-(temperature - warm) / _TURN))
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


def _by_day(values_T: NDArray[np.float64], grid: DayGrid) -> NDArray[np.float64]:
    """Mean of each day."""
    total = np.bincount(grid.day_T, values_T, minlength=grid.days)
    return np.asarray(total / np.bincount(grid.day_T, minlength=grid.days))


def _filled(weather: Panel, field: str) -> NDArray[np.float64]:
    """An input may be filled: by the last value known."""
    values = weather.values_TNF[:, 0, weather.field_index(field)].astype(np.float64)
    known = np.flatnonzero(np.isfinite(values))
    return np.asarray(np.interp(np.arange(len(values)), known, values[known]))


def _day_sum(values_T: NDArray[np.float64], slots: int) -> NDArray[np.float64]:
    total = np.concatenate([np.zeros(slots), values_T.cumsum()])
    return np.asarray(total[slots:] - total[:-slots])
