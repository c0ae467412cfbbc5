"""What of counts is released: noise on every cell first, then those under k are withheld.

Shapes: K public cells, S shown ones.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Indices, Ints
from deepcity.privacy.counts.geometric_noise import with_noise
from deepcity.privacy.counts.terms import CountTerms


@dataclass(frozen=True)
class ReleasedCounts:
    """Counts that may leave.

    Attributes:
        cell_S: positions of the shown cells among the public ones, ascending.
        count_S: their counts with noise, each k or more.
        cells: K.
    """

    cell_S: Indices
    count_S: Ints
    cells: int

    @property
    def withheld(self) -> int:
        """How many cells are not shown."""
        return self.cells - len(self.cell_S)


def release(count_K: Ints, terms: CountTerms) -> ReleasedCounts:
    """Draw noise for all cells, and show those of k or more.

    Args:
        count_K: true counts of *all* public cells, 0 where nothing was counted. One unit more or
            less changes their sum by `terms.per_unit` at most (`deepcity.privacy.counts.bounded`).

    Raises:
        GrantError: if there is no noise to be had.
    """
    noisy_K = with_noise(count_K, terms)
    cell_S = np.flatnonzero(noisy_K >= terms.k)
    return ReleasedCounts(cell_S, noisy_K[cell_S], len(count_K))
