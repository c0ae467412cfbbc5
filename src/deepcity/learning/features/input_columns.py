"""Inputs of a labelling agency's encoder, where the application is another party.

The same features that its own network would have, one cell per place; its pretext target is
its own target.

Shapes: B origins, C cells (one a place), X features, H horizon steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from deepcity.city.arrays import Bools, Floats, Ints
from deepcity.city.place import Place
from deepcity.learning.features.agency_columns import Cells, cell_number
from deepcity.learning.features.inputs import Inputs


def name_cells(places: Sequence[Place], salt: str) -> list[int]:
    """One cell per place, numbered by its name alone: two sensors may share an H3 cell."""
    return [cell_number(replace(place, lat=None, lon=None), salt) for place in places]


@dataclass(frozen=True)
class InputColumns:
    """A party's inputs, with the interface of
    `deepcity.learning.features.agency_columns.Columns`.
    """

    inputs: Inputs
    time_T: Ints
    cells: Cells

    @classmethod
    def of(cls, inputs: Inputs, time_T: Ints, places: Sequence[Place], salt: str) -> "InputColumns":
        """A party's inputs, over its places."""
        numbers = name_cells(places, salt)
        order = np.array(sorted(numbers), dtype=np.int64)
        member = (np.array(numbers)[None] == order[:, None]).astype(np.float32)
        return cls(inputs, time_T, Cells(order, member))

    @property
    def width(self) -> int:
        """Inputs of an encoder, X."""
        return int(self.rows(self.time_T[-1:]).shape[-1])

    def known(self, times_B: Ints) -> Bools:
        """(B, C): all of them, always."""
        return np.ones((len(times_B), len(self.cells.cell_C)), bool)

    def rows(self, times_B: Ints) -> Floats:
        """(B, C, X)."""
        return self._by_cell(self.inputs.samples(self._origins(times_B)).features_BNF)

    def pretext_targets(self, times_B: Ints, span_s: int) -> Floats:
        """(B, C, H): its own target, in scaled units; NaN where not measured."""
        return self._by_cell(self.inputs.samples(self._origins(times_B)).target_BNH)

    def _origins(self, times_B: Ints) -> Ints:
        return np.searchsorted(self.time_T, times_B)

    def _by_cell(self, values_BNX: Floats) -> Floats:
        order = self.cells.member_CN.argmax(axis=1)  # each cell holds one place
        return np.asarray(values_BNX[:, order], dtype=np.float32)
