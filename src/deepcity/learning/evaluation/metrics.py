"""Forecast errors over measured values only; a missing truth counts nowhere.

A forecast that is not finite errs infinitely wherever something was measured: were it left out as
a missing truth is, a network that others' layers have ruined would pass for one without error.

Shapes: B origins, N places, H horizon steps.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles, Floats


@dataclass(frozen=True)
class Scores:
    """Mean absolute and root mean squared error, in the field's unit."""

    mae: float
    rmse: float
    mae_H: Doubles
    rmse_H: Doubles


def scores(forecast_BNH: Floats, truth_BNH: Floats) -> Scores:
    """Errors overall and by horizon step; NaN where nothing was measured, infinite where a
    forecast of a measured value is not finite.
    """
    known = np.isfinite(truth_BNH)
    error = finite_or_infinite(forecast_BNH) - np.where(known, truth_BNH, 0.0)
    absolute, squared = np.where(known, np.abs(error), 0.0), np.where(known, error**2, 0.0)
    count_H = known.sum(axis=(0, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        mae_H = absolute.sum(axis=(0, 1)) / count_H
        rmse_H = np.sqrt(squared.sum(axis=(0, 1)) / count_H)
        mae = absolute.sum() / count_H.sum()
        rmse = np.sqrt(squared.sum() / count_H.sum())
    return Scores(float(mae), float(rmse), mae_H, rmse_H)


def finite_or_infinite(forecast: Floats) -> Doubles:
    """The forecast in doubles, with infinity where it is not finite."""
    return np.where(np.isfinite(forecast), forecast.astype(np.float64), np.inf)
