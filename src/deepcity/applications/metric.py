"""Metrics of an application's forecasts, in terms of the decision they support.

Every network is trained on absolute and squared errors; an application may be evaluated by
another metric, such as correct warnings. Lower is better in all of them.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from deepcity.city.arrays import Doubles, Floats
from deepcity.city.units import convert
from deepcity.learning.evaluation.metrics import scores


class Metric(Protocol):
    """One number for forecasts and truths of any shape, NaN where nothing was measured."""

    @property
    def name(self) -> str:
        """Its name in English."""
        ...

    @property
    def name_ko(self) -> str:
        """Its name in Korean."""
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
class AbsoluteError:
    """Mean absolute error: every unit of error costs alike."""

    name: str = "mean absolute error"
    name_ko: str = "평균 절대 오차"
    in_unit: bool = True

    def error(self, forecast_BNH: Floats, truth_BNH: Floats) -> float:
        """In the field's unit."""
        return scores(forecast_BNH, truth_BNH).mae

    def gradient(self, forecast: Floats, truth: Floats) -> Doubles:
        """The sign of forecast minus truth."""
        return np.sign(_off(forecast, truth))

    def converted(self, unit_in: str, unit: str) -> "AbsoluteError":
        """Itself: it has no threshold."""
        return self


@dataclass(frozen=True)
class SquaredError:
    """Root mean squared error: one large error costs more than many small ones."""

    name: str = "root mean squared error"
    name_ko: str = "평균 제곱근 오차"
    in_unit: bool = True

    def error(self, forecast_BNH: Floats, truth_BNH: Floats) -> float:
        """In the field's unit."""
        return scores(forecast_BNH, truth_BNH).rmse

    def gradient(self, forecast: Floats, truth: Floats) -> Doubles:
        """The sign only: squared weights were measured to gain nothing and cost absolute error."""
        return np.sign(_off(forecast, truth))

    def converted(self, unit_in: str, unit: str) -> "SquaredError":
        """Itself: it has no threshold."""
        return self


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
    name: str = "warnings missed or false"
    name_ko: str = "놓쳤거나 틀린 경보"
    in_unit: bool = False

    def error(self, forecast_BNH: Floats, truth_BNH: Floats) -> float:
        """A share from 0 to 1; NaN where there was nothing to warn of and no warning."""
        known = np.isfinite(truth_BNH)
        warned, above = (values[known] > self.threshold for values in (forecast_BNH, truth_BNH))
        either = int((warned | above).sum())
        return 1 - int((warned & above).sum()) / either if either else float("nan")

    def gradient(self, forecast: Floats, truth: Floats) -> Doubles:
        """The sign of forecast minus truth, as for absolute errors.

        The distance on the wrong side of the threshold would be a closer surrogate, but few
        steps have any: weights updated by it gave worse warnings in all of three cities.
        """
        return np.sign(_off(forecast, truth))

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
    def name(self) -> str:
        """Its name in English."""
        return self.metric.name

    @property
    def name_ko(self) -> str:
        """Its name in Korean."""
        return self.metric.name_ko

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


def _off(forecast: Floats, truth: Floats) -> Doubles:
    """Forecast minus truth; 0 where the truth is missing."""
    off = np.asarray(forecast, np.float64) - truth
    return np.where(np.isfinite(off), off, 0.0)
