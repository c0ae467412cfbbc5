"""How good an application's forecasts are, in the terms of the decision they support.

Every network learns by absolute and squared errors; an application may judge by something
else, such as warnings that were right. Lower is better in all of them.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from deepcity.city.arrays import Doubles, Floats
from deepcity.city.units import convert
from deepcity.learning.metrics import scores


class Metric(Protocol):
    """One number for forecasts and truths of any shape, NaN where nothing was measured."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def name_ko(self) -> str:
        """What Koreans call it."""
        ...

    @property
    def in_unit(self) -> bool:
        """Whether it is in the field's unit, and not a share."""
        ...

    def error(self, said_BNH: Floats, truth_BNH: Floats) -> float:
        """Lower is better; missing truths count nowhere."""
        ...

    def gradient(self, forecast: Floats, truth: Floats) -> Doubles:
        """By which experts are weighed: the slope in each forecast of a convex loss that stands
        for the error; 0 where the truth is missing.
        """
        ...

    def converted(self, unit_in: str, unit: str) -> "Metric":
        """The same for values in another unit.

        Raises:
            UnitError: if the units measure different things.
        """
        ...


@dataclass(frozen=True)
class AbsoluteError:
    """Mean absolute error: every unit missed costs alike."""

    name: str = "mean absolute error"
    name_ko: str = "평균 절대 오차"
    in_unit: bool = True

    def error(self, said_BNH: Floats, truth_BNH: Floats) -> float:
        """In the field's unit."""
        return scores(said_BNH, truth_BNH).mae

    def gradient(self, forecast: Floats, truth: Floats) -> Doubles:
        """The side on which a forecast is off."""
        return np.sign(_off(forecast, truth))

    def converted(self, unit_in: str, unit: str) -> "AbsoluteError":
        """Itself: it has no threshold."""
        return self


@dataclass(frozen=True)
class SquaredError:
    """Root mean squared error: one great miss costs more than many small ones."""

    name: str = "root mean squared error"
    name_ko: str = "평균 제곱근 오차"
    in_unit: bool = True

    def error(self, said_BNH: Floats, truth_BNH: Floats) -> float:
        """In the field's unit."""
        return scores(said_BNH, truth_BNH).rmse

    def gradient(self, forecast: Floats, truth: Floats) -> Doubles:
        """How far a forecast is off (half the slope: weights do not depend on its scale)."""
        return _off(forecast, truth)

    def converted(self, unit_in: str, unit: str) -> "SquaredError":
        """Itself: it has no threshold."""
        return self


@dataclass(frozen=True)
class Warnings:
    """One less the critical success index of going above a threshold (Schaefer 1990).

    Of all steps that were warned of or should have been, the share that was not both.

    >>> Warnings(10.0).error(np.array([[[11, 9, 12.0]]]), np.array([[[12, 11, 1.0]]]))
    0.6666666666666667

    Attributes:
        threshold: in the unit of the values.
    """

    threshold: float
    name: str = "warnings missed or false"
    name_ko: str = "놓쳤거나 틀린 경보"
    in_unit: bool = False

    def error(self, said_BNH: Floats, truth_BNH: Floats) -> float:
        """A share from 0 to 1; NaN where there was nothing to warn of and no warning."""
        known = np.isfinite(truth_BNH)
        warned, above = (values[known] > self.threshold for values in (said_BNH, truth_BNH))
        either = int((warned | above).sum())
        return 1 - int((warned & above).sum()) / either if either else float("nan")

    def gradient(self, forecast: Floats, truth: Floats) -> Doubles:
        """The side on which a forecast is off, as for absolute errors.

        How far a forecast is on the wrong side of the threshold would be nearer, but speaks
        of few steps: weights that move by it warned worse in all of three cities.
        """
        return np.sign(_off(forecast, truth))

    def converted(self, unit_in: str, unit: str) -> "Warnings":
        """With the threshold in another unit."""
        threshold = convert(np.array([self.threshold]), unit_in, unit)
        return replace(self, threshold=float(threshold[0]))


@dataclass(frozen=True)
class FirstSteps:
    """A metric of the steps that a decision looks at, and of none beyond.

    Attributes:
        steps: of each forecast, over 0.
    """

    metric: Metric
    steps: int

    @property
    def name(self) -> str:
        """What people call it."""
        return self.metric.name

    @property
    def name_ko(self) -> str:
        """What Koreans call it."""
        return self.metric.name_ko

    @property
    def in_unit(self) -> bool:
        """Whether it is in the field's unit."""
        return self.metric.in_unit

    def error(self, said_BNH: Floats, truth_BNH: Floats) -> float:
        """Of the first steps of (B, N, H)."""
        return self.metric.error(said_BNH[..., : self.steps], truth_BNH[..., : self.steps])

    def gradient(self, forecast: Floats, truth: Floats) -> Doubles:
        """Of every step: weights are kept for all."""
        return self.metric.gradient(forecast, truth)

    def converted(self, unit_in: str, unit: str) -> "FirstSteps":
        """The same for values in another unit."""
        return replace(self, metric=self.metric.converted(unit_in, unit))


def _off(forecast: Floats, truth: Floats) -> Doubles:
    """Forecast minus truth; 0 where the truth is missing."""
    off = np.asarray(forecast, np.float64) - truth
    return np.where(np.isfinite(off), off, 0.0)
