"""How counts are released: whose influence is bounded, by how much, and what is withheld."""

from dataclasses import dataclass
from math import ceil, exp, isfinite, log

MOST_EPSILON = 100.0
MOST_PER_UNIT = 1000
MOST_K = 1_000_000
MOST_UNIT_NAME = 40


@dataclass(frozen=True)
class CountTerms:
    """The terms of one release.

    Attributes:
        epsilon: no set of outcomes is more than e^epsilon times as likely with one unit more or
            less.
        k: counts under it, with their noise, are withheld.
        per_unit: in how many cells one unit is counted at most: the sensitivity in L1.
        unit: what a unit is called: a column of the table, or "row".
    """

    epsilon: float
    k: int
    per_unit: int = 1
    unit: str = "row"

    def __post_init__(self) -> None:
        """Refuse terms that bound nothing.

        Raises:
            ValueError: if one is out of its range.
        """
        if not (isfinite(self.epsilon) and 0 < self.epsilon <= MOST_EPSILON):
            raise ValueError(f"epsilon {self.epsilon:g} is not over 0 and up to {MOST_EPSILON:g}")
        if not 1 <= self.k <= MOST_K:
            raise ValueError(f"k {self.k} is not from 1 to {MOST_K}")
        if not 1 <= self.per_unit <= MOST_PER_UNIT:
            raise ValueError(f"{self.per_unit} cells a unit are not from 1 to {MOST_PER_UNIT}")
        if not (self.unit and self.unit.isprintable() and len(self.unit) <= MOST_UNIT_NAME):
            raise ValueError(f"the unit's name {self.unit!r} is not of 1 to {MOST_UNIT_NAME} signs")

    @property
    def scale(self) -> float:
        """Of the noise: P(z) is proportional to exp(-|z| / scale)."""
        return self.per_unit / self.epsilon

    def error(self, share: float) -> int:
        """Within which distance so large a share of counts lies from the true ones.

        P(|z| > m) = 2 a^(m + 1) / (1 + a), where a = exp(-1 / scale).

        >>> CountTerms(epsilon=1.0, k=10).error(0.95)
        3
        """
        a = exp(-1 / self.scale)
        return max(0, ceil(self.scale * log(2 / ((1 + a) * (1 - share))) - 1))
