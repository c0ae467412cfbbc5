"""The ridge skip connection of a head: a ridge regression on a few linear features.

Day profiles and ridge are strong on city data, above all with little of it. So a head adds
to the output of the hidden layers a linear map of few features: the last steps' deviations,
their means, yesterday's and last week's at the same time. It starts as the party's own ridge
fit. At level 6 it is averaged with the head, and there a party with few days gains most: its
own days are too few to estimate these coefficients (docs/what-we-tried.md).

Shapes: B origins, N places, H horizon steps, S linear features.
"""

from collections.abc import Iterator

import numpy as np

from deepcity.city.arrays import Floats

PENALTY = 10.0  # in rows: as if this many rows had confirmed the prior
PENALTIES = (PENALTY, 100.0, 1000.0, 10_000.0, np.inf)
LIFETIMES = (2.0, 6.0, 24.0, 100.0, 1000.0)  # steps in which a deviation decays to 1/e
SHARPNESS = 20.0  # a fit with 5 % more error than the best has 1/e of its weight


def ridge(
    linear_BNHS: Floats,
    deviation_BNH: Floats,
    penalty: float = PENALTY,
    prior_HS: Floats | None = None,
) -> Floats:
    """Coefficients (H, S) for each horizon step, over all places and origins of a party.

    Args:
        deviation_BNH: measured deviations in scaled units; rows with NaN are left out.
        penalty: weight of the prior, in rows; infinite: the prior itself.
        prior_HS: coefficients to shrink to; left out, zero.
    """
    return next(_ridges(linear_BNHS, deviation_BNH, (penalty,), prior_HS))


def _ridges(
    linear_BNHS: Floats,
    deviation_BNH: Floats,
    penalties: tuple[float, ...],
    prior_HS: Floats | None = None,
) -> Iterator[Floats]:
    """One fit for each penalty, from the same sums."""
    horizon, size = linear_BNHS.shape[2:]
    prior = np.zeros((horizon, size)) if prior_HS is None else prior_HS.astype(np.float64)
    grams, errors = np.zeros((horizon, size, size)), np.zeros((horizon, size))
    for step in range(horizon):
        truth = deviation_BNH[:, :, step].reshape(-1).astype(np.float64)
        known = np.isfinite(truth)
        rows = linear_BNHS[:, :, step].reshape(-1, size)[known].astype(np.float64)
        grams[step] = rows.T @ rows
        errors[step] = rows.T @ (truth[known] - rows @ prior[step])
    for penalty in penalties:
        if np.isinf(penalty):
            yield prior.astype(np.float32)
            continue
        learned = np.linalg.solve(grams + penalty * np.eye(size), errors[..., None])[..., 0]
        yield (prior + learned).astype(np.float32)


def blended_ridge(
    train: tuple[Floats, Floats],
    validation: tuple[Floats, Floats] | None,
    priors: tuple[Floats, ...] = (),
) -> Floats:
    """Ridge fits of many penalties and priors, weighted by their error on the validation span.

    Neighbouring rows are correlated, so a party with few days has far fewer independent rows
    than rows, and a penalty that suits a long record would overfit. Its few validation hours
    cannot select the best of many fits either, so none is picked: each weighs
    exp(-SHARPNESS * (error / least error - 1)) (exponential weights: Dalalyan & Tsybakov
    2008). On 47 scarce cases of 6 real sets that was never over 8 % worse than picking one
    penalty towards zero, and up to 43 % better (docs/what-we-tried.md).

    Args:
        train, validation: linear features and deviations, as `ridge` takes them.
        priors: coefficients to shrink to, besides zero.
    """
    if validation is None or not np.isfinite(validation[1]).any():
        return ridge(*train)
    linear_features, truth = validation
    fitted = [fit for prior in (None, *priors) for fit in _ridges(*train, PENALTIES, prior)]
    errors = np.array(
        [np.nanmean(np.abs(apply_ridge_skip(linear_features, fit) - truth)) for fit in fitted]
    )
    weights = np.exp(-SHARPNESS * (errors / max(errors.min(), 1e-9) - 1))
    return np.asarray(np.tensordot(weights / weights.sum(), np.array(fitted), 1), np.float32)


def decay_priors(horizon: int, leads: int, size: int) -> tuple[Floats, ...]:
    """Priors (H, S) by which the last step's deviation decays exponentially, one per lifetime.

    Args:
        size: S; the first linear feature of each lead is the last step's deviation.
    """
    found = []
    ahead_KH = np.arange(1, leads * horizon + 1).reshape(leads, horizon)
    for lifetime in LIFETIMES:
        prior = np.zeros((horizon, size), np.float32)
        prior[:, :: size // leads] = np.exp(-ahead_KH / lifetime).T
        found.append(prior)
    return tuple(found)


def apply_ridge_skip(linear_BNHS: Floats, ridge_skip_HS: Floats) -> Floats:
    """Expected deviations from the typical day, (B, N, H), in scaled units."""
    return np.asarray(np.einsum("bnhs,hs->bnh", linear_BNHS, ridge_skip_HS, optimize=True))
