"""What a party forecasts with: networks, its typical day, a ridge, yesterday; each is one expert.

Shapes: B origins, N places, H horizon steps, S summaries.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcity.learning.baselines import same_time_before
from deepcity.learning.features import Inputs, Samples
from deepcity.learning.learner import Learner
from deepcity.learning.recall import recalled

Floats = NDArray[np.float32]
Expert = Callable[[Samples, NDArray[np.int64]], Floats]
"""From the party's samples and their origins to forecasts in the field's unit, (B, N, H)."""


@dataclass(frozen=True)
class Seeing:
    """A network, shown the party's samples or those of inputs of its own."""

    learner: Learner
    inputs: Inputs | None = None

    def __call__(self, samples: Samples, origins_B: NDArray[np.int64]) -> Floats:
        """Forecasts, (B, N, H)."""
        shown = samples if self.inputs is None else self.inputs.samples(origins_B)
        return self.learner.forecast(shown)


@dataclass(frozen=True)
class Ridge:
    """A ridge map from summaries to deviations from the typical day."""

    recall_HS: Floats

    def __call__(self, samples: Samples, origins_B: NDArray[np.int64]) -> Floats:
        """Forecasts, (B, N, H)."""
        deviation_BNH = recalled(samples.summaries_BNHS, self.recall_HS)
        return np.asarray(samples.anchor_BNH + samples.scale_N1 * deviation_BNH)


@dataclass(frozen=True)
class Yesterday:
    """The newest known value of the same time of day; the typical day's where there is none."""

    inputs: Inputs

    def __call__(self, samples: Samples, origins_B: NDArray[np.int64]) -> Floats:
        """Forecasts, (B, N, H)."""
        horizon, day = samples.anchor_BNH.shape[-1], self.inputs.grid.slots
        said_BNH = same_time_before(self.inputs.values_TN, origins_B, horizon, day)
        return np.where(np.isfinite(said_BNH), said_BNH, samples.anchor_BNH)


def typical(samples: Samples, _origins_B: NDArray[np.int64]) -> Floats:
    """The typical day as an expert."""
    return samples.anchor_BNH
