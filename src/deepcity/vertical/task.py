"""A forecast to learn as the coordinator knows it: cells, times and sizes, no rows.

Shapes: B origins, N places, H horizon steps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from deepcity.city.arrays import Ints
from deepcity.learning.features.inputs import Samples


@dataclass(frozen=True)
class VerticalTask:
    """One forecast to learn.

    Attributes:
        cells: agency -> the places to forecast, as cells in that agency's numbering.
        horizon: steps ahead, H.
        train_times, validation_times, test_times: origins, UTC seconds.
        widths: agency -> numbers that it sends for a cell and a time, by the map.
    """

    cells: Mapping[str, Sequence[int]]
    horizon: int
    train_times: Ints
    validation_times: Ints
    test_times: Ints
    widths: Mapping[str, int] = field(default_factory=dict)

    def placeholder(self, times_B: Ints) -> Samples:
        """Stands for samples that the coordinator does not hold."""
        return placeholder(len(times_B), len(next(iter(self.cells.values()))), self.horizon)


def placeholder(origins: int, places: int, horizon: int) -> Samples:
    """Samples of zeros with the right shapes, (B, N, H)."""
    nothing_BNH = np.zeros((origins, places, horizon), np.float32)
    return Samples(
        np.zeros((origins, places, 1), np.float32),
        np.zeros((*nothing_BNH.shape, 0), np.float32),
        nothing_BNH,
        nothing_BNH,
        np.ones((places, 1), np.float32),
        0,
    )
