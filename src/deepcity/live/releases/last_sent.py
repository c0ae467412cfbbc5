"""The deep data that an application has of each cell: what has not moved is not sent again.

In memory alone: an agency that begins again sends each cell once more.

Shapes: B times in order, C cells, D deep width.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Bools, Floats, Ints
from deepcity.learning.split.fusion_inputs import DeepBatch
from deepcity.privacy.defences.release import stays
from deepcity.privacy.defences.settings import Defences


@dataclass
class LastSent:
    """The newest vector sent of each cell, (C, D), and its time, (C,); none yet: None."""

    defences: Defences
    _vectors_CD: Floats | None = None
    _times_C: Ints | None = None

    def select(self, batch: DeepBatch, times_B: Ints) -> tuple[DeepBatch, Bools]:
        """What the application has at each time, and which cells must be sent for it, (B, C)."""
        if not self.defences.min_change:
            return batch, batch.known_BC
        held_BCD, sends_BC = batch.vectors_BCD.copy(), batch.known_BC.copy()
        for row, at in enumerate(times_B):
            held_C = self._held(batch.vectors_BCD[row], int(at)) & batch.known_BC[row]
            sends_BC[row] &= ~held_C
            if self._vectors_CD is not None:
                held_BCD[row, held_C] = self._vectors_CD[held_C]
            self._keep(held_BCD[row], sends_BC[row], int(at))
        return DeepBatch(held_BCD, batch.known_BC), sends_BC

    def _held(self, now_CD: Floats, at: int) -> Bools:
        if self._vectors_CD is None or self._times_C is None:
            return np.zeros(len(now_CD), np.bool_)
        return stays(now_CD, self._vectors_CD, at - self._times_C, self.defences)

    def _keep(self, sent_CD: Floats, sends_C: Bools, at: int) -> None:
        if self._vectors_CD is None or self._times_C is None:
            self._vectors_CD = np.zeros_like(sent_CD)
            self._times_C = np.full(len(sent_CD), np.iinfo(np.int64).min // 2)
        self._vectors_CD[sends_C], self._times_C[sends_C] = sent_CD[sends_C], at
