"""How far a joined forecast may lie from the party's own: some of the own network's mean errors.

A member that was right for weeks and then turns is believed until its first errors are known: one
or two forecasts, whatever watches it. What these may cost is bounded here. A truth hardly ever
lies further from the own network's forecast than a few of its mean absolute errors (5 of them: one
in 150, were errors Laplacian), so a good joined forecast is not touched, and a bad one errs some
of the own errors instead of the range of all records.

Tried and not proven: the figures are those of `python -m benchmarks.hostile_members`.

Shapes: E experts, N places, H horizon steps, J forecasts of one step.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from deepcity.city.arrays import Bools, Doubles, Floats

REACH = 5.0
"""Greatest distance from the own forecast, in its mean absolute error at the place."""
_DECAY = np.exp(-1 / 336.0)  # measured steps: two weeks of hours
_LEAST_STEPS = 12  # before so many, its error is not known
_DOUBT = 12.0  # steps without error that are added to those measured


@dataclass(frozen=True, eq=False)
class OwnErrors:
    """The own network's absolute errors at each place, summed with exponential forgetting.

    Attributes:
        total_N: in the field's unit.
        steps_N: measured steps, forgotten alike.
    """

    total_N: Doubles
    steps_N: Doubles

    @classmethod
    def begin(cls, places: int) -> Self:
        """Before any truth."""
        return cls(np.zeros(places), np.zeros(places))

    def update(self, forecast_JN: Floats, truth_JN: Floats) -> "OwnErrors":
        """After one more step; a place without a forecast or a truth stays as it is.

        Args:
            forecast_JN: of the own network, made before.
        """
        off_JN = np.abs(forecast_JN.astype(np.float64) - truth_JN)
        known_JN = np.isfinite(off_JN)
        count_N = known_JN.sum(axis=0)
        error_N = np.where(known_JN, off_JN, 0.0).sum(axis=0) / np.maximum(count_N, 1)
        decay_N = np.where(count_N > 0, _DECAY, 1.0)
        return OwnErrors(decay_N * self.total_N + error_N, decay_N * self.steps_N + (count_N > 0))

    @property
    def cautious_N(self) -> Doubles:
        """Mean absolute error at each place, as if a few more steps had none: the first errors of
        a young network may be twice those to come. 0 before any truth; in the field's unit.
        """
        return np.asarray(self.total_N / (self.steps_N + _DOUBT))

    @property
    def reach_N(self) -> Doubles:
        """Greatest distance of a joined forecast from the own, in the field's unit."""
        known_N = self.steps_N >= _LEAST_STEPS * _DECAY**_LEAST_STEPS
        mean_N = self.total_N / np.maximum(self.steps_N, 1e-9)
        return np.where(known_N, REACH * mean_N, np.inf)

    def clip(self, forecast_ENH: Floats, joined_E: Bools) -> Floats:
        """Experts' forecasts, the joined ones within reach of the first, the own network's."""
        if not joined_E.any():
            return forecast_ENH
        own_NH, reach_N1 = forecast_ENH[0], self.reach_N[:, None].astype(np.float32)
        clipped_ENH = np.clip(forecast_ENH, own_NH - reach_N1, own_NH + reach_N1)
        return np.where(joined_E[:, None, None], clipped_ENH, forecast_ENH)
