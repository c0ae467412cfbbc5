"""Rows with at most one per time and place.

Shapes: R rows, F values of a row.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Bools, Doubles, Ints


@dataclass(frozen=True)
class UniqueRows:
    """Rows with at most one per time and place; `time_R` in UTC seconds, ascending."""

    time_R: Ints
    place_R: Ints
    values_RF: Doubles

    def __len__(self) -> int:
        return len(self.time_R)

    def take(self, keep: Bools | slice) -> "UniqueRows":
        """Some of the rows."""
        return UniqueRows(self.time_R[keep], self.place_R[keep], self.values_RF[keep])

    def joined(self, later: "UniqueRows") -> "UniqueRows":
        """These rows, and then others."""
        return UniqueRows(
            np.concatenate([self.time_R, later.time_R]),
            np.concatenate([self.place_R, later.place_R]),
            np.concatenate([self.values_RF, later.values_RF]),
        )
