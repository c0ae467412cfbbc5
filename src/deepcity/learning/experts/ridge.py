"""A ridge as an expert: a linear map from summaries to deviations from the typical day.

Shapes: B origins, N places, H horizon steps, S summaries.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Floats, Ints
from deepcity.learning.experts.expert import Arrays, Expert, ExpertData, part
from deepcity.learning.features import Samples
from deepcity.learning.recall import recalled


@dataclass(frozen=True)
class Ridge(Expert):
    """A party's ridge (`deepcity.learning.recall`), the best of many penalties weighed."""

    recall_HS: Floats
    kind: ClassVar[str] = "ridge"

    @classmethod
    def fit(cls, data: ExpertData) -> Self:
        """The ridge that the party's inputs were fitted with."""
        return cls(data.inputs.recall_HS)

    def predict(self, samples: Samples, origins_B: Ints) -> Floats:
        """Forecasts, (B, N, H)."""
        deviation_BNH = recalled(samples.summaries_BNHS, self.recall_HS)
        return np.asarray(samples.anchor_BNH + samples.scale_N1 * deviation_BNH)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The coefficients."""
        return {"recall_HS": self.recall_HS}

    @classmethod
    def from_arrays(cls, arrays: Arrays, data: ExpertData) -> Self:
        """From coefficients of the window that the party has now."""
        shape = data.inputs.recall_HS.shape
        return cls(part(cls, arrays, "recall_HS", np.float32, shape))


EXPERT = Ridge
