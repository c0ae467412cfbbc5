"""Whose windows are attacked: releases of the days learned from, and of days kept aside.

Shapes: N places.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.audit.window.releases import STREAM, Pairs, Releases
from deepcity.city.arrays import Ints

KNOWN = (0.0, 0.1, 0.5)
"""Shares of the true pairs that an attacker knows beside."""
LEAST_ATTACKED = 50
"""Windows without which no share is worth naming."""


@dataclass(frozen=True, eq=False)
class Victim:
    """Releases of one model in three spans, one after another in time.

    Attributes:
        learned: of days that the network learned from: what decoders are trained on.
        known: of the first half of the days kept aside: pairs that an attacker may know.
        attacked: of the second half, a window and a stream later: what is rebuilt.
        others: of another party's places through its own network; None: there is none.
    """

    learned: Releases
    known: Releases
    attacked: Releases
    others: Releases | None = None

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of all layers, the forecast last."""
        return tuple(self.attacked.layers)

    @property
    def places(self) -> int:
        """Its places."""
        return int(self.attacked.window_BNX.shape[1])

    def divided(self, seed: int) -> tuple[Ints, Ints]:
        """Places that attackers learn from, and those attacked; of one place, both are it."""
        if self.places == 1:
            return np.array([0]), np.array([0])
        mixed = np.random.default_rng(seed).permutation(self.places)
        return np.sort(mixed[: self.places // 2]), np.sort(mixed[self.places // 2 :])


def known_pairs(
    victim: Victim, layer: str, stream: int, places: Ints, share: float
) -> Pairs | None:
    """The pairs known where so large a share of all is: the first half of the days kept aside is
    half of them, and of it every so-many-th origin is taken.
    """
    if not share:
        return None
    found = victim.known.pairs(layer, stream, places)
    rows_BP = np.arange(len(found)).reshape(-1, len(places))
    kept = rows_BP[:: max(1, round(KNOWN[-1] / share))].reshape(-1)
    return Pairs(found.released_RD[kept], found.window_RX[kept])


def spans_of(start: int, end: int, history: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The days kept aside as two halves, between them a window and a stream that nobody uses.

    >>> spans_of(100, 200, 6)
    ((100, 150), (180, 200))
    """
    half = (start + end) // 2
    return (start, half), (min(half + history + STREAM, end), end)
