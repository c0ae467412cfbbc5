"""Naive forecasts every network must beat: the same hour of an earlier day.

Shapes: T steps, B origins, N places, H horizon steps.
"""

import numpy as np

from deepcity.city.arrays import Floats, Ints


def same_time_before(
    values_TN: Floats, origins_B: Ints, horizon: int, lag: int, lead: int = 0
) -> Floats:
    """The newest known value a whole number of `lag` steps before each target.

    Where that value is missing, or the panel begins later, the next earlier one is taken,
    up to 8 lags back; NaN where none is known.

    Returns:
        (B, N, H).
    """
    targets = origins_B[:, None] + lead + np.arange(horizon)
    back = -(-(lead + np.arange(horizon) + 1) // lag) * lag  # never a step at or after the origin
    source = targets - back
    forecast = np.full((*targets.shape, values_TN.shape[1]), np.nan, np.float32)
    for times in range(8):
        index = source - times * lag
        found = np.where((index >= 0)[..., None], values_TN[np.maximum(index, 0)], np.nan)
        forecast = np.where(np.isfinite(forecast), forecast, found)
    return np.swapaxes(forecast, 1, 2)
