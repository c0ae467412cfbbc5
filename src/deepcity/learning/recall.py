"""What a head recalls directly: a ridge regression on a few summaries of the recent past.

Day profiles and ridge are strong on city data, above all with little of it. So a head adds
to what the hidden layers say a linear map of few summaries: the last steps' deviations,
their means, yesterday's and last week's at the same time. It begins as the party's own
ridge fit. At level 6 it is fused with the head, and that is where a party with few days
gains most: its own few days cannot tell these coefficients (docs/what-we-tried.md).

Shapes: B origins, N places, H horizon steps, S summaries.
"""

from collections.abc import Iterator

import numpy as np

from deepcity.city.arrays import Floats

PENALTY = 10.0  # in rows: as if this many rows had said that the belief holds
PENALTIES = (PENALTY, 100.0, 1000.0, 10_000.0, np.inf)
LIFETIMES = (2.0, 6.0, 24.0, 100.0, 1000.0)  # steps in which a deviation may fade to 1/e
SHARPNESS = 20.0  # a fit that errs 5 % more than the best weighs 1/e of it


def ridge(
    summaries_BNHS: Floats,
    deviation_BNH: Floats,
    penalty: float = PENALTY,
    belief_HS: Floats | None = None,
) -> Floats:
    """Coefficients (H, S) for each horizon step, over all places and origins of a party.

    Args:
        deviation_BNH: measured deviations in scaled units; rows with NaN are left out.
        penalty: how many rows the belief is worth; infinite: nothing is learned.
        belief_HS: coefficients without any row; left out, zero.
    """
    return next(_ridges(summaries_BNHS, deviation_BNH, (penalty,), belief_HS))


def _ridges(
    summaries_BNHS: Floats,
    deviation_BNH: Floats,
    penalties: tuple[float, ...],
    belief_HS: Floats | None = None,
) -> Iterator[Floats]:
    """One fit for each penalty, from the same sums."""
    horizon, size = summaries_BNHS.shape[2:]
    belief = np.zeros((horizon, size)) if belief_HS is None else belief_HS.astype(np.float64)
    grams, errors = np.zeros((horizon, size, size)), np.zeros((horizon, size))
    for step in range(horizon):
        truth = deviation_BNH[:, :, step].reshape(-1).astype(np.float64)
        known = np.isfinite(truth)
        rows = summaries_BNHS[:, :, step].reshape(-1, size)[known].astype(np.float64)
        grams[step] = rows.T @ rows
        errors[step] = rows.T @ (truth[known] - rows @ belief[step])
    for penalty in penalties:
        if np.isinf(penalty):
            yield belief.astype(np.float32)
            continue
        learned = np.linalg.solve(grams + penalty * np.eye(size), errors[..., None])[..., 0]
        yield (belief + learned).astype(np.float32)


def blended_ridge(
    train: tuple[Floats, Floats],
    validation: tuple[Floats, Floats] | None,
    beliefs: tuple[Floats, ...] = (),
) -> Floats:
    """Ridge fits of many penalties and beliefs, weighed by how they err on the validation span.

    Neighbouring rows say nearly the same, so a party with few days has far fewer facts than
    rows, and one penalty fit for a long record would believe chance. Its few validation
    hours cannot tell the best of many fits either, so none is picked: each weighs
    exp(-SHARPNESS * (error / least error - 1)) (exponential weights: Dalalyan & Tsybakov
    2008). On 47 scarce cases of 6 real sets that was never over 8 % worse than picking one
    penalty towards zero, and up to 43 % better (docs/what-we-tried.md).

    Args:
        train, validation: summaries and deviations, as `ridge` takes them.
        beliefs: coefficients to shrink to, besides zero.
    """
    if validation is None or not np.isfinite(validation[1]).any():
        return ridge(*train)
    summaries, truth = validation
    fitted = [fit for belief in (None, *beliefs) for fit in _ridges(*train, PENALTIES, belief)]
    errors = np.array([np.nanmean(np.abs(recalled(summaries, fit) - truth)) for fit in fitted])
    weights = np.exp(-SHARPNESS * (errors / max(errors.min(), 1e-9) - 1))
    return np.asarray(np.tensordot(weights / weights.sum(), np.array(fitted), 1), np.float32)


def fading(horizon: int, leads: int, size: int) -> tuple[Floats, ...]:
    """Beliefs (H, S) that the last step's deviation fades exponentially, by lifetime.

    Args:
        size: S; the first summary of each lead is the last step's deviation.
    """
    found = []
    ahead_KH = np.arange(1, leads * horizon + 1).reshape(leads, horizon)
    for lifetime in LIFETIMES:
        belief = np.zeros((horizon, size), np.float32)
        belief[:, :: size // leads] = np.exp(-ahead_KH / lifetime).T
        found.append(belief)
    return tuple(found)


def recalled(summaries_BNHS: Floats, recall_HS: Floats) -> Floats:
    """Expected deviations from the typical day, (B, N, H), in scaled units."""
    return np.asarray(np.einsum("bnhs,hs->bnh", summaries_BNHS, recall_HS, optimize=True))
