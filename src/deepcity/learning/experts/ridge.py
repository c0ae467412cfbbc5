"""A ridge as an expert: a linear map from linear features to deviations from the typical day.

Shapes: B origins, N places, H horizon steps, S linear features.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Floats, Ints
from deepcity.learning.experts.expert import Arrays, Expert, ExpertData, part
from deepcity.learning.features.inputs import Samples
from deepcity.learning.features.ridge_skip import apply_ridge_skip


@dataclass(frozen=True)
class Ridge(Expert):
    """A party's ridge, of mixed penalties; see `deepcity.learning.features.ridge_skip`."""

    ridge_skip_HS: Floats
    kind: ClassVar[str] = "ridge"

    @classmethod
    def fit(cls, data: ExpertData) -> Self:
        """The ridge that the party's inputs were fitted with."""
        return cls(data.inputs.ridge_skip_HS)

    def predict(self, samples: Samples, origins_B: Ints) -> Floats:
        """Forecasts, (B, N, H)."""
        deviation_BNH = apply_ridge_skip(samples.linear_BNHS, self.ridge_skip_HS)
        return np.asarray(samples.baseline_BNH + samples.scale_N1 * deviation_BNH)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The coefficients."""
        return {"ridge_skip_HS": self.ridge_skip_HS}

    @classmethod
    def from_arrays(cls, arrays: Arrays, data: ExpertData) -> Self:
        """From coefficients that fit the party's window settings."""
        shape = data.inputs.ridge_skip_HS.shape
        return cls(part(cls, arrays, "ridge_skip_HS", np.float32, shape))


EXPERT = Ridge
