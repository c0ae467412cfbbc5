"""Weather of each step as the network of Ferrara's weeks sees it.

Shapes: T steps, W weather features.
"""

import numpy as np

from deepcity.city.arrays import Doubles, Floats
from deepcity.data.panel import Panel
from deepcity.data.windows import Span
from deepcity.learning.features.weather import filled

_WARM, _HOT, _COLD = 0.65, 0.9, 0.02  # quantiles of the temperatures learned from
_LEAST_UNIT = 0.1  # kelvin


def weather_features(weather: Panel | None, steps: int, train: Span) -> Floats:
    """(T, 5): warmth, heat, rain, rain of the day before, cold; about 0..2 each.

    What is warm, hot and cold here, the training span's own temperatures say.
    """
    if weather is None:
        return np.zeros((steps, 0), np.float32)
    temperature = filled(weather, "temperature")
    warm, hot, cold = np.quantile(temperature[train.start : train.end], (_WARM, _HOT, _COLD))
    unit = max(float(hot - warm), _LEAST_UNIT)
    rain = np.log1p(_day_sum(filled(weather, "rain"), weather.clock.steps_per_day))
    before = np.concatenate([np.repeat(rain[:1], weather.clock.steps_per_day), rain])[: len(rain)]
    over = [np.maximum(temperature - warm, 0.0), np.maximum(temperature - hot, 0.0)]
    under = np.maximum(cold - temperature, 0.0)
    columns = [over[0] / unit, over[1] / unit, rain, before, under / unit]
    return np.stack(columns, axis=1).astype(np.float32)


def _day_sum(values_T: Doubles, slots: int) -> Doubles:
    total = np.concatenate([np.zeros(slots), values_T.cumsum()])
    return np.asarray(total[slots:] - total[:-slots])
