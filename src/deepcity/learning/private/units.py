"""Which windows one unit's records reach, and which of them a step takes.

Where a sensor's day is the unit, each step cuts the calendar into blocks of L days, beginning at
another day each time, and uses only windows that lie in one block with history and targets. So a
day's records reach the windows of one block of their place and of no other, whatever they are: the
block is sampled, and clipped, as one. L is the number of days that the widest window touches; of
each block its windows are drawn anew in each step. Where a place is the unit, all of its windows
are one block.

Neither the cut nor the draw of windows depends on records or needs to be secret; the draw of blocks
does need to be (`deepcity.privacy.accounting.noise_stream`).

Shapes: B origins, N places, U sampled units, M windows of a unit.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Bools, Ints
from deepcity.learning.features.inputs import Inputs
from deepcity.learning.private.settings import PrivacyUnit
from deepcity.privacy.accounting.noise_stream import NoiseStream


@dataclass(frozen=True)
class UnitSample:
    """The units of one step.

    Attributes:
        place_U, window_UM: of each its place, and rows of its windows.
        known_UM: False where a unit has fewer windows.
        expected: units that a step has on average, with windows or without.
    """

    place_U: Ints
    window_UM: Ints
    known_UM: Bools
    expected: float


@dataclass(frozen=True)
class PrivacyUnits:
    """The units of a party's training rows.

    Attributes:
        first_B, last_B: days that each window touches; all 0 where a place is the unit.
        block_days: L; 1 where a place is the unit.
        places: N.
        windows: of a unit, in one step.
    """

    first_B: Ints
    last_B: Ints
    block_days: int
    places: int
    windows: int

    @classmethod
    def of(cls, unit: PrivacyUnit, inputs: Inputs, origins_B: Ints, windows: int) -> "PrivacyUnits":
        """The units of some origins."""
        places = inputs.values_TN.shape[1]
        if unit is PrivacyUnit.PLACE:
            nothing = np.zeros(len(origins_B), np.int64)
            return cls(nothing, nothing, 1, places, windows)
        window, day_T = inputs.settings, inputs.grid.day_T
        first_B = day_T[origins_B - window.history]
        last_B = day_T[origins_B + window.leads * window.horizon - 1]
        least = int(first_B.min())
        block = int((last_B - first_B).max()) + 1
        return cls(first_B - least, last_B - least, block, places, windows)

    @property
    def count(self) -> int:
        """Blocks of a step, in which no two windows of different ones share a day."""
        return -(-(int(self.last_B.max()) + 1) // self.block_days) * self.places

    def sample(self, rate: float, secret: NoiseStream, rng: np.random.Generator) -> UnitSample:
        """A Poisson sample: each unit is in it with probability `rate`, by itself."""
        shift = int(rng.integers(self.block_days))
        block_B = (self.first_B + shift) // self.block_days
        inside = block_B == (self.last_B + shift) // self.block_days
        blocks = (int(self.last_B.max()) + shift) // self.block_days + 1
        chosen = np.flatnonzero(secret.uniform(blocks * self.places) < rate)
        place_U, block_U = chosen % self.places, chosen // self.places
        row_B = np.flatnonzero(inside)
        order = row_B[np.argsort(block_B[row_B], kind="stable")]
        starts = np.searchsorted(block_B[order], np.arange(blocks + 1))
        window_UM = np.zeros((len(chosen), self.windows), np.int64)
        known_UM = np.zeros((len(chosen), self.windows), bool)
        for number, block in enumerate(block_U):
            rows = order[starts[block] : starts[block + 1]]
            if len(rows) > self.windows:
                rows = rng.choice(rows, self.windows, replace=False)
            window_UM[number, : len(rows)], known_UM[number, : len(rows)] = rows, True
        return UnitSample(place_U, window_UM, known_UM, rate * blocks * self.places)
