"""How good an application's forecasts are, in the terms of the decision they support.

Every network learns by absolute and squared errors; an application may judge by something
else, such as warnings that were right. Lower is better in all of them.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from deepcity.learning.metrics import scores

Floats = NDArray[np.float32]


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


@dataclass(frozen=True)
class AbsoluteError:
    """Mean absolute error: every unit missed costs alike."""

    name: str = "mean absolute error"
    name_ko: str = "평균 절대 오차"
    in_unit: bool = True

    def error(self, said_BNH: Floats, truth_BNH: Floats) -> float:
        """In the field's unit."""
        return scores(said_BNH, truth_BNH).mae


@dataclass(frozen=True)
class SquaredError:
    """Root mean squared error: one great miss costs more than many small ones."""

    name: str = "root mean squared error"
    name_ko: str = "평균 제곱근 오차"
    in_unit: bool = True

    def error(self, said_BNH: Floats, truth_BNH: Floats) -> float:
        """In the field's unit."""
        return scores(said_BNH, truth_BNH).rmse


@dataclass(frozen=True)
class Warnings:
    """One less the critical success index of going above a threshold (Schaefer 1990).

    Of all steps that were warned of or should have been, the share that was not both.

    >>> Warnings(10.0).error(np.array([[[11, 9, 12.0]]]), np.array([[[12, 11, 1.0]]]))
    0.6666666666666667

    Attributes:
        threshold: in the field's unit.
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
