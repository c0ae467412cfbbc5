"""Who judges a forecast while an application learns: whoever holds the labels.

An application needs no labels to learn, only how its error changes with what it says. So
labels may lie with the application, or stay with the agency that measured them, which then
answers with that slope. (A slope of a squared error tells the label to whoever asks, and
many slopes of an absolute one do so bit by bit: labels kept at their agency are a matter of
custody, not of secrecy.)

Shapes: B origins, N places, H horizon steps.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from deepcity.city.arrays import Floats, Ints
from deepcity.learning.features import Samples
from deepcity.learning.recall import recalled
from deepcity.learning.training import judge, loss


class Labels(Protocol):
    """What an application asks of them, about rows of its training or validation origins."""

    def slope(self, rows_B: Ints, said_BNH: Floats) -> Floats:
        """How the mean training error changes with each value said, in scaled units."""
        ...

    def error(self, said_BNH: Floats) -> float:
        """Error over the whole validation span, in the field's unit."""
        ...


@dataclass(frozen=True)
class HeldLabels:
    """Labels at hand.

    Attributes:
        train, validation: samples whose truths judge.
        absolute_share: 1: absolute error alone, 0: squared error alone.
        recall_HS: what is added to the forecast before it is judged, where the application
            does not hold it itself; None where it does.
    """

    train: Samples
    validation: Samples
    absolute_share: float
    recall_HS: Floats | None = None

    def slope(self, rows_B: Ints, said_BNH: Floats) -> Floats:
        """Of the mixed error over measured targets."""
        said = torch.from_numpy(said_BNH + self._recalled(self.train, rows_B))
        said.requires_grad_()
        target = (
            self.train.truth_BNH[rows_B] - self.train.anchor_BNH[rows_B]
        ) / self.train.scale_N1
        loss(said, torch.from_numpy(target), self.absolute_share).backward()  # type: ignore[no-untyped-call]
        assert said.grad is not None
        return np.asarray(said.grad.numpy(), dtype=np.float32)

    def error(self, said_BNH: Floats) -> float:
        """By the mixture of MAE and RMSE that training minimises."""
        return judge(self.in_unit(said_BNH, self.validation), self.validation, self.absolute_share)

    def in_unit(self, said_BNH: Floats, samples: Samples) -> Floats:
        """What was said in scaled units, as a forecast in the field's unit."""
        every = np.arange(len(samples))
        said = said_BNH + self._recalled(samples, every)
        return np.asarray(samples.anchor_BNH + samples.scale_N1 * said, dtype=np.float32)

    def _recalled(self, samples: Samples, rows_B: Ints) -> Floats | np.float32:
        if self.recall_HS is None:
            return np.float32(0)
        return recalled(samples.summaries_BNHS[rows_B], self.recall_HS)
