"""The ridge part of a head, which is fitted in closed form and gets no gradients: its own case.

What leaves is (H, S) coefficients of one fit. An attacker who fits its own rows the same way, in
groups as large, learns to read the mean linear features of a group out of its coefficients.

Shapes: G groups, R rows, H horizon steps, S linear features.
"""

import numpy as np

from deepcity.audit.window.releases import Pairs
from deepcity.audit.window.ridge_decoder import Learned, fit_ridge
from deepcity.audit.window.scores import r2
from deepcity.city.arrays import Floats
from deepcity.learning.features.inputs import Samples
from deepcity.learning.features.ridge_skip import ridge


def coefficients_r2(
    learned: Samples, attacked: Samples, rows: int, groups: int, seed: int
) -> float:
    """R² of the groups' mean linear features, (S,), read out of the coefficients of their fit.

    Args:
        rows: of a group; the fewer, the more of each is in the coefficients.
    """
    pairs = _groups(learned, rows, 4 * groups, seed)
    others = _groups(attacked, rows, groups, seed + 1)
    fit = fit_ridge(Learned.of(pairs))
    return r2(fit.whole.rebuild(others.released_RD), others.window_RX)


def _groups(samples: Samples, rows: int, groups: int, seed: int) -> Pairs:
    """Coefficients of each group's fit, and its mean linear features over horizon and rows."""
    linear_RHS = _flat(samples.linear_BNHS)
    target_RH = _flat(samples.target_BNH)
    known = np.flatnonzero(np.isfinite(target_RH).all(axis=1))
    rng = np.random.default_rng(seed)
    fits, means = [], []
    for _ in range(groups):
        chosen = rng.choice(known, rows, replace=len(known) < rows)
        fits.append(ridge(linear_RHS[chosen, None], target_RH[chosen, None]).reshape(-1))
        means.append(linear_RHS[chosen].mean(axis=(0, 1)))
    return Pairs(np.array(fits, np.float32), np.array(means, np.float32))


def _flat(values_BNX: Floats) -> Floats:
    return values_BNX.reshape(-1, *values_BNX.shape[2:])
