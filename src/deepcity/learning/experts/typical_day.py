"""The typical day as an expert: where records are mostly noise it is hard to beat."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from numpy.typing import NDArray

from deepcity.city.arrays import Floats, Ints
from deepcity.learning.experts.expert import Arrays, Expert, ExpertData
from deepcity.learning.features.inputs import Samples


@dataclass(frozen=True)
class TypicalDay(Expert):
    """The typical value at this time; see `deepcity.learning.features.typical_day`."""

    kind: ClassVar[str] = "typical_day"
    baseline: ClassVar[bool] = True

    @classmethod
    def prior(cls, data: ExpertData) -> float:
        """A tenth, always."""
        return 0.1

    @classmethod
    def fit(cls, data: ExpertData) -> Self:
        """Nothing to fit: the samples' seasonal baseline is the typical day."""
        return cls()

    def predict(self, samples: Samples, origins_B: Ints) -> Floats:
        """Forecasts, (B, N, H)."""
        return samples.baseline_BNH

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """No arrays."""
        return {}

    @classmethod
    def from_arrays(cls, arrays: Arrays, data: ExpertData) -> Self:
        """From none."""
        return cls()


EXPERT = TypicalDay
