"""One attack on windows: what the attacker knows, the decoder it chooses by that, what it rebuilds.

The decoder is chosen on rows that the attacker knows; attacked windows are only ever rebuilt.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.audit.effort import Effort
from deepcity.audit.window.mlp_decoder import fit_mlp
from deepcity.audit.window.releases import Pairs
from deepcity.audit.window.ridge_decoder import LEARNED, Learned, fit_ridge
from deepcity.city.arrays import Floats

RIDGE, MLP = "ridge", "mlp"
_CLEARLY = 0.99
"""An MLP counts where its validation error is at most so much of ridge's."""


@dataclass(frozen=True, eq=False)
class Rebuilt:
    """The attacked windows as the better decoder rebuilds them, (R, X), and which one it was."""

    attacker: str
    window_RX: Floats


def rebuild(
    learned: Learned, known: Pairs | None, attacked_RD: Floats, effort: Effort, seed: int
) -> Rebuilt:
    """Rebuild windows from releases.

    Args:
        learned: pairs from elsewhere.
        known: pairs of the victim that the attacker knows; None: none.
        attacked_RD: releases whose windows it does not know.
    """
    fit = fit_ridge(learned, known)
    mlp, error = fit_mlp(fit, _rows(learned.pairs, known), effort, seed)
    if error < _CLEARLY * fit.error:
        return Rebuilt(MLP, mlp.rebuild(attacked_RD))
    return Rebuilt(RIDGE, fit.whole.rebuild(attacked_RD))


def _rows(learned: Pairs, known: Pairs | None) -> Pairs:
    """What an MLP learns from: known pairs are repeated until they count as much as the others."""
    if known is None:
        return learned.split(LEARNED)[0]
    early = known.split(LEARNED)[0]
    times = max(1, len(learned) // max(1, len(early)))
    return Pairs(
        np.concatenate([learned.released_RD, np.tile(early.released_RD, (times, 1))]),
        np.concatenate([learned.window_RX, np.tile(early.window_RX, (times, 1))]),
    )
