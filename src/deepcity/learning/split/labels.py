"""The loss of an application's forecasts, computed by whoever holds the labels.

An application trains without labels: it needs only the gradient of its error in its output.
So labels may lie with the application, or stay with the agency that measured them, which then
answers with that gradient. (A gradient of the squared error reveals the label, and many
gradients of the absolute error do so bit by bit: labels kept at their agency are a matter of
custody, not of secrecy.)

Shapes: B origins, N places, H horizon steps.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from deepcity.city.arrays import Floats, Ints
from deepcity.learning.features.inputs import Samples
from deepcity.learning.features.ridge_skip import apply_ridge_skip
from deepcity.learning.training.local_training import loss, validation_score


class Labels(Protocol):
    """What an application asks of labels at its training and validation origins."""

    def gradient(self, rows_B: Ints, forecast_BNH: Floats) -> Floats:
        """Gradient of the mean training error in each output, in scaled units."""
        ...

    def error(self, forecast_BNH: Floats) -> float:
        """Error over the whole validation span, in the field's unit."""
        ...


@dataclass(frozen=True)
class HeldLabels:
    """Labels at hand.

    Attributes:
        mae_weight: 1: absolute error alone, 0: squared error alone.
        ridge_skip_HS: ridge coefficients whose output is added to the forecast first, where the
            application does not hold them; None where it does.
    """

    train: Samples
    validation: Samples
    mae_weight: float
    ridge_skip_HS: Floats | None = None

    def gradient(self, rows_B: Ints, forecast_BNH: Floats) -> Floats:
        """Gradient of the mixed error over measured targets."""
        forecast = torch.from_numpy(forecast_BNH + self._ridge_part(self.train, rows_B))
        forecast.requires_grad_()
        target = (
            self.train.truth_BNH[rows_B] - self.train.baseline_BNH[rows_B]
        ) / self.train.scale_N1
        loss(forecast, torch.from_numpy(target), self.mae_weight).backward()  # type: ignore[no-untyped-call]
        assert forecast.grad is not None
        return np.asarray(forecast.grad.numpy(), dtype=np.float32)

    def error(self, forecast_BNH: Floats) -> float:
        """By the mixture of MAE and RMSE that training minimises."""
        forecast = self.in_unit(forecast_BNH, self.validation)
        return validation_score(forecast, self.validation, self.mae_weight)

    def in_unit(self, forecast_BNH: Floats, samples: Samples) -> Floats:
        """An output in scaled units as a forecast in the field's unit."""
        every = np.arange(len(samples))
        forecast = forecast_BNH + self._ridge_part(samples, every)
        return np.asarray(samples.baseline_BNH + samples.scale_N1 * forecast, dtype=np.float32)

    def _ridge_part(self, samples: Samples, rows_B: Ints) -> Floats | np.float32:
        if self.ridge_skip_HS is None:
            return np.float32(0)
        return apply_ridge_skip(samples.linear_BNHS[rows_B], self.ridge_skip_HS)
