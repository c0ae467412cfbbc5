"""Bounds of joined forecasts: what is made of others' layers stays near the party's own records.

A bound on an ensemble's regret holds for experts of bounded error only, and layers of a hostile
member bound nothing. So before they are weighed, joined experts are clipped to what the party's
own records allow: the range of the place's records so far with a margin or, where that is wider,
a distance from the place's typical day in its own scale; and never beyond the range of all the
party's records with that margin. Wide enough for honest forecasts, the bounds make the error that
any layers can cause finite and small, so that weights can leave them in a few steps.

The distance alone would be too narrow: the scale of a place that hardly changed in its first days
is small, and clipping to it took back up to 8 % of what joining gains after three days.

Shapes: T steps, B origins, N places, H horizon steps.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from deepcity.city.arrays import Floats, Ints
from deepcity.learning.features.inputs import Samples

MARGIN = 0.5
"""Beyond the records on either side, as a share of their range."""
SCALES = 5.0
"""Distance from the typical day, in the scale of the place's deviations from it."""


@dataclass(frozen=True, eq=False)
class ForecastBounds:
    """The least and the greatest value of a joined forecast, (B, N, H), in the field's unit.

    NaN on a side that nothing is known of: no value is clipped there.
    """

    low_BNH: Floats
    high_BNH: Floats

    @classmethod
    def of(cls, samples: Samples, values_TN: Floats, origins_B: Ints) -> Self:
        """From a party's typical day, its scale, and its records before each origin.

        Args:
            samples: of these origins.
            values_TN: the party's records; NaN where missing.
        """
        low_BN, high_BN = _range_before(values_TN, origins_B)
        party_B1 = (
            np.fmin.reduce(low_BN, axis=1)[:, None],
            np.fmax.reduce(high_BN, axis=1)[:, None],
        )
        reach_N1 = np.float32(SCALES) * samples.scale_N1
        low_BN1, high_BN1 = _with_margin(low_BN, high_BN)
        least_B11, most_B11 = _with_margin(*party_B1)
        low_BNH = np.fmin(samples.baseline_BNH - reach_N1, low_BN1)
        high_BNH = np.fmax(samples.baseline_BNH + reach_N1, high_BN1)
        return cls(*(np.fmin(np.fmax(end, least_B11), most_B11) for end in (low_BNH, high_BNH)))

    def clip(self, forecast_BNH: Floats, own_BNH: Floats) -> Floats:
        """A joined forecast within the bounds; where it is not finite, the party's own."""
        found_BNH = np.where(np.isfinite(forecast_BNH), forecast_BNH, own_BNH)
        clipped_BNH = np.fmin(np.fmax(found_BNH, self.low_BNH), self.high_BNH)
        return np.where(np.isfinite(found_BNH), clipped_BNH, found_BNH)


def _with_margin(low_BX: Floats, high_BX: Floats) -> tuple[Floats, Floats]:
    """Both ends moved outwards, (B, X, 1) each."""
    margin_BX = np.float32(MARGIN) * (high_BX - low_BX)
    return (low_BX - margin_BX)[..., None], (high_BX + margin_BX)[..., None]


def _range_before(values_TN: Floats, origins_B: Ints) -> tuple[Floats, Floats]:
    """Least and greatest record of each place before each origin, (B, N) each; NaN: none."""
    found = []
    for bound in (np.fmin, np.fmax):
        newest_N, seen = np.full(values_TN.shape[1], np.nan, np.float32), 0
        ends_BN = np.empty((len(origins_B), values_TN.shape[1]), np.float32)
        for at in np.argsort(origins_B, kind="stable"):
            fresh_TN = values_TN[seen : max(seen, int(origins_B[at]))]
            if len(fresh_TN):
                newest_N = bound(newest_N, bound.reduce(fresh_TN, axis=0))
            seen += len(fresh_TN)
            ends_BN[at] = newest_N
        found.append(ends_BN)
    return found[0], found[1]
