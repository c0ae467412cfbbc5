"""Recent errors of experts: joined ones that err much more than the party's own are set aside.

Aggregation forgets slowly: an expert that was good for weeks keeps weight for days once it turns
bad, and a hostile member may wait for that. So errors are also averaged over the last steps alone,
with a short, a middle and a long memory. A joined expert that errs over twice what the party's own
network does in any of the three is set aside: the party's own network stands in for it until it no
longer does. The short memory notices within steps, the long one keeps away who is bad every other
day. Errors are those of the newest forecast of each step: a day-ahead forecast made before a
member turned says nothing of it, and 23 such beside the first bad one would hide it.

Tried and not proven: the figures are those of `python -m benchmarks.hostile_members`.

Shapes: E experts, M memories, N places, J forecasts of one step.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from deepcity.city.arrays import Bools, Doubles, Floats
from deepcity.learning.ensemble.own_errors import OwnErrors

MEMORIES = (2.0, 12.0, 72.0)
"""Measured steps after which an error counts 1/e."""
TOLERATED = 2.0
"""Greatest error of a joined expert, in that of the party's own network."""
_DECAY_M = np.exp(-1 / np.array(MEMORIES))


@dataclass(frozen=True, eq=False)
class RecentErrors:
    """Each expert's absolute errors, summed with exponential forgetting.

    Attributes:
        joined_E: whether an expert is made of others' layers; the first is the party's own network.
        error_ME: in the field's unit.
        steps_M: measured steps, forgotten alike.
        own: the own network's errors at each place, which joined forecasts are kept near.
    """

    joined_E: Bools
    error_ME: Doubles
    steps_M: Doubles
    own: OwnErrors

    @classmethod
    def begin(cls, joined_E: Bools, places: int) -> "RecentErrors":
        """Before any truth."""
        memories = len(MEMORIES)
        nothing_ME = np.zeros((memories, len(joined_E)))
        return cls(joined_E, nothing_ME, np.zeros(memories), OwnErrors.begin(places))

    def update(self, forecast_JEN: Floats, truth_JN: Floats) -> "RecentErrors":
        """After the truths of one more step.

        Args:
            forecast_JEN: of that step, oldest first.
            truth_JN: NaN where not measured.
        """
        newest_E = _mean_errors(forecast_JEN[-1], truth_JN[-1])
        return replace(
            self,
            error_ME=_DECAY_M[:, None] * self.error_ME + newest_E,
            steps_M=_DECAY_M * self.steps_M + 1,
            own=self.own.update(forecast_JEN[:, 0], truth_JN),
        )

    @cached_property
    def aside_E(self) -> Bools:
        """The joined experts that are set aside now."""
        bad_E = (self.error_ME > TOLERATED * self.error_ME[:, :1]).any(axis=0)
        return np.asarray(bad_E & self.joined_E)

    def within_reach(self, forecast_ENH: Floats) -> Floats:
        """Experts' forecasts, the joined ones within reach of the own network's."""
        return self.own.clip(forecast_ENH, self.joined_E)

    def without(self, weights_GE: Doubles) -> Doubles:
        """Weights in which the first expert has those of all that are set aside."""
        aside_E = self.aside_E
        if not aside_E.any():
            return weights_GE
        found_GE = np.where(aside_E, 0.0, weights_GE)
        found_GE[:, 0] += weights_GE[:, aside_E].sum(axis=1)
        return np.asarray(found_GE)


def against_bounds(
    error_BME: Doubles, steps_BM: Doubles, joined_E: Bools
) -> tuple[Doubles, Doubles]:
    """At each of B moments, every expert's mean error and the greatest that is tolerated,
    (B, E) each, in the memory in which they are farthest apart; a joined expert above its bound
    is set aside.

    Before any truth errors are 0 and bounds infinite, and bounds of own experts always are.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        error_BME = error_BME / steps_BM[..., None]
        bound_BME = np.broadcast_to(TOLERATED * error_BME[..., :1], error_BME.shape)
        ratio_BME = np.nan_to_num(error_BME / bound_BME, nan=0.0, posinf=np.inf)
    worst_B1E = ratio_BME.argmax(axis=1)[:, None]
    error_BE, bound_BE = (
        np.take_along_axis(one, worst_B1E, 1)[:, 0] for one in (error_BME, bound_BME)
    )
    known_B1 = steps_BM.any(axis=1, keepdims=True)
    error_BE = np.where(known_B1, error_BE, 0.0)
    return error_BE, np.where(known_B1 & joined_E, bound_BE, np.inf)


def _mean_errors(forecast_EN: Floats, truth_N: Floats) -> Doubles:
    """Each expert's mean absolute error over what was measured, (E,)."""
    known_N = np.isfinite(truth_N)
    off_EN = np.abs(forecast_EN[:, known_N].astype(np.float64) - truth_N[known_N])
    return np.asarray(off_EN.sum(axis=1) / max(int(known_N.sum()), 1))
