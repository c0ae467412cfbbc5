"""Names of methods, and their errors at a party.

Methods are `same_hour_yesterday`, `same_hour_last_week`, `persistence`, `ridge` (typical day and
ridge, before any network learns), `alone`, `level_1` .. `level_6`, `automatic` and `pooled`; and
`typical_day` where an application names it among its baselines. Errors are over measured values
only, in the service's unit unless its metric is a share.
"""

import numpy as np

from deepcity.applications.application import Baseline
from deepcity.applications.metric import AbsoluteError, Metric
from deepcity.city.arrays import Floats, Ints
from deepcity.city.frozen_model import FrozenModel
from deepcity.city.measured import Measured
from deepcity.learning.evaluation.baselines import first_finite, last_known, same_time_before
from deepcity.learning.evaluation.metrics import scores
from deepcity.learning.features.inputs import Inputs, Samples
from deepcity.learning.features.ridge_skip import apply_ridge_skip
from deepcity.parties.party import Party

NAIVE_DAY = "same_hour_yesterday"
NAIVE_WEEK = "same_hour_last_week"
ALONE = "alone"
AUTOMATIC = "automatic"
POOLED = "pooled"
RIDGE = "ridge"
_ABSOLUTE = AbsoluteError()


def fixed_level_name(level: int) -> str:
    """Name of the method that fixes the reuse level for every party.

    >>> fixed_level_name(3)
    'level_3'
    """
    return f"level_{level}"


class MethodErrors(FrozenModel):
    """Errors of one method at one party, over the test span.

    `metric_error` is the error by the application's metric.
    """

    mae: Measured
    rmse: Measured
    mae_by_horizon: list[Measured]
    metric_error: Measured


def score_forecast(
    forecast_BNH: Floats, truth_BNH: Floats, metric: Metric = _ABSOLUTE
) -> MethodErrors:
    """Errors as kept in results; `metric` is the application's."""
    found = scores(forecast_BNH, truth_BNH)
    return MethodErrors(
        mae=found.mae,
        rmse=found.rmse,
        mae_by_horizon=[float(e) for e in found.mae_H],
        metric_error=metric.error(forecast_BNH, truth_BNH),
    )


def naive_forecasts(party: Party) -> dict[str, Floats]:
    """Naive forecasts by method: same hour yesterday and last week, the last value, typical day
    with ridge, and the baselines of the party's application.

    Each forecasts all values: what last week lacks is taken from yesterday, and what that lacks
    too is the last known value (`naive_gaps` tells how often).
    """
    found = baseline_forecasts(party.inputs, party.test, party.test_origins)
    if Baseline.TYPICAL_DAY not in party.baselines:
        del found[Baseline.TYPICAL_DAY.value]
    expected = apply_ridge_skip(party.test.linear_BNHS, party.inputs.ridge_skip_HS)
    return {**found, RIDGE: party.test.baseline_BNH + party.test.scale_N1 * expected}


def baseline_forecasts(inputs: Inputs, samples: Samples, origins_B: Ints) -> dict[str, Floats]:
    """Every baseline's forecasts of some origins, by name; gaps filled as in `naive_forecasts`."""
    day, week = _same_hours(inputs, origins_B)
    last = last_known(inputs.values_TN, origins_B, samples.truth_BNH.shape[-1])
    return {
        NAIVE_DAY: first_finite(day, last),
        NAIVE_WEEK: first_finite(week, day, last),
        Baseline.PERSISTENCE.value: last,
        Baseline.TYPICAL_DAY.value: samples.baseline_BNH,
    }


def naive_gaps(party: Party) -> tuple[float, float]:
    """Shares of the test values for which no earlier week, and no earlier day, has a value."""
    known = np.isfinite(party.test.truth_BNH)
    if not known.any():
        return 0.0, 0.0
    same_hours = _same_hours(party.inputs, party.test_origins)
    day, week = (~np.isfinite(found) for found in same_hours)
    return float((week & known).sum() / known.sum()), float((day & known).sum() / known.sum())


def _same_hours(inputs: Inputs, origins_B: Ints) -> tuple[Floats, Floats]:
    """The same hour of the newest earlier day, and of the newest earlier week; NaN: none."""
    horizon, slots = inputs.settings.horizon, inputs.grid.slots
    day, week = (
        same_time_before(inputs.values_TN, origins_B, horizon, lag) for lag in (slots, 7 * slots)
    )
    return day, week


def naive_errors(party: Party) -> dict[str, MethodErrors]:
    """Errors of the naive forecasts over the test span."""
    truth, metric = party.test.truth_BNH, party.metric
    return {
        name: score_forecast(forecast_BNH, truth, metric)
        for name, forecast_BNH in naive_forecasts(party).items()
    }
