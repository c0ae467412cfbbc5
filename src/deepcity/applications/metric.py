"""Metrics of an application's forecasts, in terms of the decision they support.

Every network is trained on absolute and squared errors; an application may be evaluated by
another metric, such as correct warnings. Lower is better in all of them.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, Self

import numpy as np

from deepcity.city.arrays import Doubles, Floats
from deepcity.city.localized_text import LocalizedText
from deepcity.city.units import convert
from deepcity.learning.evaluation.metrics import scores


class Metric(Protocol):
    """One number for forecasts and truths of any shape, NaN where nothing was measured."""

    @property
    def title(self) -> LocalizedText:
        """Its name."""
        ...

    @property
    def in_unit(self) -> bool:
        """Whether it is in the field's unit, and not a share."""
        ...

    def error(self, forecast_BNH: Floats, truth_BNH: Floats) -> float:
        """Lower is better; missing truths count nowhere."""
        ...

    def gradient(self, forecast: Floats, truth: Floats) -> Doubles:
        """Gradient in each forecast of a convex surrogate of the error, which updates ensemble
        weights; 0 where the truth is missing.
        """
        ...

    def converted(self, unit_in: str, unit: str) -> "Metric":
        """The same metric for values in another unit.

        Raises:
            UnitError: if the units measure different things.
        """
        ...


@dataclass(frozen=True)
class _InUnit:
    """What metrics in the field's unit share: one gradient, and no threshold to convert."""

    in_unit: ClassVar = True

    def gradient(self, forecast: Floats, truth: Floats) -> Doubles:
        """The sign of forecast minus truth."""
        return _sign(forecast, truth)

    def converted(self, unit_in: str, unit: str) -> Self:
        """Itself."""
        return self


@dataclass(frozen=True)
class AbsoluteError(_InUnit):
    """Mean absolute error: every unit of error costs alike."""

    title: ClassVar = LocalizedText("mean absolute error", "평균 절대 오차")

    def error(self, forecast_BNH: Floats, truth_BNH: Floats) -> float:
        """In the field's unit."""
        return scores(forecast_BNH, truth_BNH).mae


@dataclass(frozen=True)
class SquaredError(_InUnit):
    """Root mean squared error: one large error costs more than many small ones.

    Its gradient is the sign only: squared weights were measured to gain nothing and cost
    absolute error.
    """

    title: ClassVar = LocalizedText("root mean squared error", "평균 제곱근 오차")

    def error(self, forecast_BNH: Floats, truth_BNH: Floats) -> float:
        """In the field's unit."""
        return scores(forecast_BNH, truth_BNH).rmse


@dataclass(frozen=True)
class Warnings:
    """One less the critical success index of going above a threshold (Schaefer 1990).

    Of all steps with a warning or above the threshold, the share that was not both.

    >>> Warnings(10.0).error(np.array([[[11, 9, 12.0]]]), np.array([[[12, 11, 1.0]]]))
    0.6666666666666667

    Attributes:
        threshold: in the unit of the values.
    """

    threshold: float
    title: ClassVar = LocalizedText("warnings missed or false", "놓쳤거나 틀린 경보")
    in_unit: ClassVar = False

    def error(self, forecast_BNH: Floats, truth_BNH: Floats) -> float:
        """A share from 0 to 1; NaN where there was nothing to warn of and no warning, infinite
        where a forecast of a measured value is not finite.
        """
        known = np.isfinite(truth_BNH)
        if not np.isfinite(forecast_BNH[known]).all():
            return float("inf")
        warned, above = (values[known] > self.threshold for values in (forecast_BNH, truth_BNH))
        either = int((warned | above).sum())
        return 1 - int((warned & above).sum()) / either if either else float("nan")

    def gradient(self, forecast: Floats, truth: Floats) -> Doubles:
        """The sign of forecast minus truth, as for absolute errors.

        The distance on the wrong side of the threshold would be a closer surrogate, but few
        steps have any: weights updated by it gave worse warnings in all of three cities.
        """
        return _sign(forecast, truth)

    def converted(self, unit_in: str, unit: str) -> "Warnings":
        """With the threshold in another unit."""
        threshold = convert(np.array([self.threshold]), unit_in, unit)
        return replace(self, threshold=float(threshold[0]))


@dataclass(frozen=True)
class FirstSteps:
    """A metric of the steps within a decision's horizon.

    Attributes:
        steps: of each forecast, at least one.
    """

    metric: Metric
    steps: int

    @property
    def title(self) -> LocalizedText:
        """Its name."""
        return self.metric.title

    @property
    def in_unit(self) -> bool:
        """Whether it is in the field's unit."""
        return self.metric.in_unit

    def error(self, forecast_BNH: Floats, truth_BNH: Floats) -> float:
        """Of the first steps of (B, N, H)."""
        return self.metric.error(forecast_BNH[..., : self.steps], truth_BNH[..., : self.steps])

    def gradient(self, forecast: Floats, truth: Floats) -> Doubles:
        """Of every step: ensemble weights are updated by all."""
        return self.metric.gradient(forecast, truth)

    def converted(self, unit_in: str, unit: str) -> "FirstSteps":
        """The same metric for values in another unit."""
        return replace(self, metric=self.metric.converted(unit_in, unit))


def _sign(forecast: Floats, truth: Floats) -> Doubles:
    """Of forecast minus truth; 0 where the truth is missing."""
    off = np.asarray(forecast, np.float64) - truth
    return np.sign(np.where(np.isfinite(off), off, 0.0))
