"""The typical day as an expert: where records are noise it is hard to beat."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from numpy.typing import NDArray

from deepcity.city.arrays import Floats, Ints
from deepcity.learning.experts.expert import Arrays, Expert, ExpertData
from deepcity.learning.features import Samples


@dataclass(frozen=True)
class TypicalDay(Expert):
    """What a place shows at this time on days like this one (`deepcity.learning.typical_day`)."""

    kind: ClassVar[str] = "typical_day"
    baseline: ClassVar[bool] = True

    @classmethod
    def prior(cls, data: ExpertData) -> float:
        """A tenth, whatever is known."""
        return 0.1

    @classmethod
    def fit(cls, data: ExpertData) -> Self:
        """Nothing is to be learned: the samples' anchor is the typical day."""
        return cls()

    def predict(self, samples: Samples, origins_B: Ints) -> Floats:
        """Forecasts, (B, N, H)."""
        return samples.anchor_BNH

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """None."""
        return {}

    @classmethod
    def from_arrays(cls, arrays: Arrays, data: ExpertData) -> Self:
        """From none."""
        return cls()


EXPERT = TypicalDay
