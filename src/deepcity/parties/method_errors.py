"""Names of methods, and their errors at a party.

Methods are `same_hour_yesterday`, `same_hour_last_week`, `ridge` (typical day and ridge, before
any network learns), `alone`, `level_1` .. `level_6`, `automatic` and `pooled`; and the baselines
that an application names, `persistence` and `typical_day`. Errors are over measured values only,
in the service's unit unless its metric is a share.
"""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from deepcity.applications.application import Baseline
from deepcity.applications.metric import AbsoluteError, Metric
from deepcity.city.arrays import Floats
from deepcity.learning.evaluation.baselines import same_time_before
from deepcity.learning.evaluation.metrics import scores
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


Measured = Annotated[float, BeforeValidator(lambda value: float("nan") if value is None else value)]
"""NaN where nothing was measured to compare with; JSON has no NaN and says null."""


class MethodErrors(BaseModel):
    """Errors of one method at one party, over the test span.

    `judged` is the error by the application's metric; in results older than that metric, the
    mean absolute error.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mae: Measured
    rmse: Measured
    mae_by_horizon: list[Measured]
    judged: Measured

    @model_validator(mode="before")
    @classmethod
    def _judged_by_mae(cls, found: object) -> object:
        if isinstance(found, dict) and "judged" not in found:
            return {**found, "judged": found.get("mae")}
        return found


def score_forecast(
    forecast_BNH: Floats, truth_BNH: Floats, metric: Metric = _ABSOLUTE
) -> MethodErrors:
    """Errors as kept in results; `metric` is the application's."""
    found = scores(forecast_BNH, truth_BNH)
    return MethodErrors(
        mae=found.mae,
        rmse=found.rmse,
        mae_by_horizon=[float(e) for e in found.mae_H],
        judged=metric.error(forecast_BNH, truth_BNH),
    )


def naive_forecasts(party: Party) -> dict[str, Floats]:
    """Naive forecasts by method: same hour yesterday and last week, typical day with ridge, and
    the baselines of the party's application.
    """
    values, horizon = party.inputs.values_TN, party.test.truth_BNH.shape[-1]
    day = party.inputs.grid.slots
    lags = {NAIVE_DAY: day, NAIVE_WEEK: 7 * day}
    if Baseline.PERSISTENCE in party.baselines:
        lags[Baseline.PERSISTENCE.value] = 1
    found = {
        name: same_time_before(values, party.test_origins, horizon, lag)
        for name, lag in lags.items()
    }
    if Baseline.TYPICAL_DAY in party.baselines:
        found[Baseline.TYPICAL_DAY.value] = party.test.baseline_BNH
    expected = apply_ridge_skip(party.test.linear_BNHS, party.inputs.ridge_skip_HS)
    return {**found, RIDGE: party.test.baseline_BNH + party.test.scale_N1 * expected}


def naive_errors(party: Party) -> dict[str, MethodErrors]:
    """Errors of the naive forecasts over the test span."""
    truth, metric = party.test.truth_BNH, party.metric
    return {
        name: score_forecast(forecast_BNH, truth, metric)
        for name, forecast_BNH in naive_forecasts(party).items()
    }
