"""Naive forecasts every network must beat: the same hour of an earlier day, the last value.

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


def last_known(values_TN: Floats, origins_B: Ints, horizon: int) -> Floats:
    """The newest known value before each origin, for all steps; NaN where there is none.

    Returns:
        (B, N, H).

    >>> values_TN = np.array([[1.0], [np.nan], [3.0]], np.float32)
    >>> last_known(values_TN, np.array([0, 2, 3]), 1).ravel().tolist()
    [nan, 1.0, 3.0]
    """
    steps_T1 = np.arange(len(values_TN))[:, None]
    last_TN = np.maximum.accumulate(np.where(np.isfinite(values_TN), steps_T1, -1), axis=0)
    index_BN = np.where(origins_B[:, None] > 0, last_TN[np.maximum(origins_B - 1, 0)], -1)
    found_BN = np.take_along_axis(values_TN, np.maximum(index_BN, 0), axis=0)
    found_BN = np.where(index_BN >= 0, found_BN, np.float32("nan"))
    return np.repeat(found_BN[:, :, None], horizon, axis=2)


def first_finite(*forecasts_BNH: Floats) -> Floats:
    """The first of several forecasts that is known, value by value."""
    found, *others = forecasts_BNH
    for other in others:
        found = np.where(np.isfinite(found), found, other)
    return found
