"""Yesterday as an expert: with hardly any day known, a typical day is no better."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Floats, Ints
from deepcity.learning.evaluation.baselines import same_time_before
from deepcity.learning.experts.expert import Arrays, Expert, ExpertData
from deepcity.learning.features.inputs import Inputs, Samples

HARDLY_ANY_DAYS = 3.0


@dataclass(frozen=True)
class YesterdayExpert(Expert):
    """The newest known value of the same time of day; the typical day's where there is none."""

    inputs: Inputs
    kind: ClassVar[str] = "yesterday"
    baseline: ClassVar[bool] = True

    @classmethod
    def prior(cls, data: ExpertData) -> float:
        """A twentieth where fewer than three days are known, else none."""
        return 0.05 if data.known_days < HARDLY_ANY_DAYS else 0.0

    @classmethod
    def fit(cls, data: ExpertData) -> Self:
        """Nothing to fit."""
        return cls(data.inputs)

    def predict(self, samples: Samples, origins_B: Ints) -> Floats:
        """Forecasts, (B, N, H)."""
        horizon, day = samples.baseline_BNH.shape[-1], self.inputs.grid.slots
        forecast_BNH = same_time_before(self.inputs.values_TN, origins_B, horizon, day)
        return np.where(np.isfinite(forecast_BNH), forecast_BNH, samples.baseline_BNH)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """No arrays."""
        return {}

    @classmethod
    def from_arrays(cls, arrays: Arrays, data: ExpertData) -> Self:
        """From none: the rows are enough."""
        return cls(data.inputs)


EXPERT = YesterdayExpert
