"""Recent errors of experts: joined ones that err much more than the party's own are set aside.

Aggregation forgets slowly: an expert that was good for weeks keeps weight for days once it turns
bad, and a hostile member may wait for that. So errors are also averaged over the last steps alone,
with a short, a middle and a long memory. A joined expert that errs over 1.5 times the references
(the party's own network, and its typical day where that is an expert) in any of the three is set
aside: the party's own network stands in for it until it no longer does. The short memory notices
within steps, the long one keeps away who is bad every other day.

Tried and not proven: the figures are those of `python -m benchmarks.hostile_members`.

Shapes: E experts, M memories.
"""

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np

from deepcity.city.arrays import Bools, Doubles, Ints

MEMORIES = (2.0, 12.0, 72.0)
"""Measured steps after which an error counts 1/e."""
TOLERATED = 1.5
"""Greatest error of a joined expert, in that of the worse reference."""
_DECAY_M = np.exp(-1 / np.array(MEMORIES))


class ExpertRole(IntEnum):
    """What an expert is to the others."""

    OWN = 0
    REFERENCE = 1
    JOINED = 2


@dataclass(frozen=True, eq=False)
class RecentErrors:
    """Each expert's absolute errors, summed with exponential forgetting.

    Attributes:
        role_E: of each expert, see `ExpertRole`.
        error_ME: in the field's unit.
        steps_M: measured steps, forgotten alike.
    """

    role_E: Ints
    error_ME: Doubles
    steps_M: Doubles

    @classmethod
    def begin(cls, role_E: Ints) -> "RecentErrors":
        """Before any truth."""
        memories = len(MEMORIES)
        return cls(role_E, np.zeros((memories, len(role_E))), np.zeros(memories))

    def update(self, error_E: Doubles) -> "RecentErrors":
        """After one more step, with each expert's mean absolute error in it."""
        return replace(
            self,
            error_ME=_DECAY_M[:, None] * self.error_ME + error_E,
            steps_M=_DECAY_M * self.steps_M + 1,
        )

    @property
    def aside_E(self) -> Bools:
        """The joined experts that are set aside now."""
        reference_E = self.role_E == ExpertRole.REFERENCE
        if not reference_E.any():
            return np.zeros(len(self.role_E), np.bool_)
        usual_M1 = self.error_ME[:, reference_E].max(axis=1, keepdims=True)
        bad_E = (self.error_ME > TOLERATED * usual_M1).any(axis=0)
        return np.asarray(bad_E & (self.role_E == ExpertRole.JOINED))

    def without(self, weights_GE: Doubles) -> Doubles:
        """Weights in which the first expert has those of all that are set aside."""
        aside_E = self.aside_E
        if not aside_E.any():
            return weights_GE
        found_GE = np.where(aside_E, 0.0, weights_GE)
        found_GE[:, 0] += weights_GE[:, aside_E].sum(axis=1)
        return np.asarray(found_GE)
