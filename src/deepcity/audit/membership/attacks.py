"""Two attacks on membership, from the errors of networks that did and did not learn from a unit.

LiRA    likelihood ratio of a unit's error under networks with and without it, Gaussians on its
        logarithm (Carlini et al. 2022, "Membership Inference Attacks From First Principles")
RMIA    how often a unit is likelier under the network, against others', than units that nobody
        learned from (Zarifzadeh et al. 2024, "Low-Cost High-Power Membership Inference Attacks")

Each network in turn is the one attacked, the others are the attacker's shadows.

Shapes: M networks, U units, Z units that no network learned from.
"""

import numpy as np

from deepcity.city.arrays import Bools, Floats

_LEAST = 1e-9
_LEAST_EACH = 8
"""Shadows of a kind from which the spread of one unit's errors is estimated; of fewer, all units
share one, as Carlini et al. recommend."""


def lira(error_MU: Floats, learned_MU: Bools) -> Floats:
    """Log likelihood ratios, (M, U): the higher, the likelier that network m learned from unit u.

    >>> error_MU = np.array([[0.1, 0.9], [0.9, 0.1], [0.1, 0.9], [0.9, 0.1]])
    >>> learned_MU = error_MU < 0.5
    >>> bool(((lira(error_MU, learned_MU) > 0) == learned_MU).all())
    True
    """
    value_MU = np.log(np.maximum(error_MU, _LEAST))
    found_MU = np.empty_like(value_MU)
    for network in range(len(value_MU)):
        others = np.arange(len(value_MU)) != network
        value, learned = value_MU[others], learned_MU[others]
        inside, outside = (_gaussian(value, mask) for mask in (learned, ~learned))
        target_U = value_MU[network]
        found_MU[network] = _log_density(target_U, *inside) - _log_density(target_U, *outside)
    return found_MU


def rmia(error_MU: Floats, learned_MU: Bools, unseen_MZ: Floats) -> Floats:
    """Shares of units that nobody learned from which unit u is likelier than, (M, U).

    The likelihood of a unit is exp(-error); that without the network is the mean over networks
    that did not learn from it.
    """
    found_MU = np.empty_like(error_MU)
    for network in range(len(error_MU)):
        others = np.arange(len(error_MU)) != network
        usual_U = _log_mean(-error_MU[others], ~learned_MU[others])
        usual_Z = _log_mean(-unseen_MZ[others], np.ones_like(unseen_MZ[others], bool))
        ratio_U, ratio_Z = -error_MU[network] - usual_U, -unseen_MZ[network] - usual_Z
        found_MU[network] = np.searchsorted(np.sort(ratio_Z), ratio_U, side="right") / len(ratio_Z)
        # of equal shares the greater ratio comes first
        found_MU[network] += np.argsort(np.argsort(ratio_U)) / (len(ratio_U) * (len(ratio_Z) + 1))
    return found_MU


def _gaussian(value_MU: Floats, kept_MU: Bools) -> tuple[Floats, Floats]:
    """Mean of each unit over the networks kept, and its spread: its own, or that of all units."""
    count_U = kept_MU.sum(axis=0)
    mean_U = np.where(kept_MU, value_MU, 0).sum(axis=0) / np.maximum(count_U, 1)
    square_U = np.where(kept_MU, np.square(value_MU - mean_U), 0).sum(axis=0)
    free = max(1, int(np.maximum(count_U - 1, 0).sum()))
    shared_U = np.full_like(mean_U, square_U.sum() / free)
    own_U = square_U / np.maximum(count_U - 1, 1)
    variance_U = np.where(count_U >= _LEAST_EACH, own_U, shared_U)
    return mean_U, np.sqrt(np.maximum(variance_U, _LEAST))


def _log_density(value_U: Floats, mean_U: Floats, spread_U: Floats) -> Floats:
    return np.asarray(-np.square((value_U - mean_U) / spread_U) / 2 - np.log(spread_U))


def _log_mean(value_MX: Floats, kept_MX: Bools) -> Floats:
    count_X = np.maximum(kept_MX.sum(axis=0), 1)
    return np.asarray(np.log(np.where(kept_MX, np.exp(value_MX), 0).sum(axis=0) / count_X + _LEAST))
