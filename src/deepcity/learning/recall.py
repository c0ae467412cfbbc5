"""What a head recalls directly: a ridge regression on a few summaries of the recent past.

Day profiles and ridge are strong on city data, above all with little of it. So a head adds
to what the hidden layers say a linear map of few summaries: the last steps' deviations,
their means, yesterday's and last week's at the same time. It begins as the party's own
ridge fit. At level 6 it is fused with the head, and that is where a party with few days
gains most: its own few days cannot tell these coefficients (docs/what-we-tried.md).

Shapes: B origins, N places, H horizon steps, S summaries.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
PENALTY = 10.0  # in rows: as if this many rows had said that summaries mean nothing
PENALTIES = (PENALTY, 100.0, 1000.0, np.inf)


def ridge(summaries_BNHS: Floats, deviation_BNH: Floats, penalty: float = PENALTY) -> Floats:
    """Coefficients (H, S) for each horizon step, over all places and origins of a party.

    Args:
        deviation_BNH: measured deviations in scaled units; rows with NaN are left out.
        penalty: how many rows the belief in "no effect" is worth; infinite: recall nothing.
    """
    horizon, size = summaries_BNHS.shape[2:]
    coefficients = np.zeros((horizon, size), np.float32)
    if np.isinf(penalty):
        return coefficients
    for step in range(horizon):
        truth = deviation_BNH[:, :, step].reshape(-1).astype(np.float64)
        known = np.isfinite(truth)
        rows = summaries_BNHS[:, :, step].reshape(-1, size)[known].astype(np.float64)
        gram = rows.T @ rows + penalty * np.eye(size)
        coefficients[step] = np.linalg.solve(gram, rows.T @ truth[known])
    return coefficients


def best_ridge(train: tuple[Floats, Floats], validation: tuple[Floats, Floats] | None) -> Floats:
    """The ridge whose penalty errs least on the validation span; each pair as `ridge` takes.

    Neighbouring rows say nearly the same, so a party with few days has far fewer facts than
    rows, and a penalty fit for a long record would believe chance.
    """
    if validation is None or not np.isfinite(validation[1]).any():
        return ridge(*train)
    summaries, truth = validation
    fitted = [ridge(*train, penalty) for penalty in PENALTIES]
    errors = [np.nanmean(np.abs(recalled(summaries, found) - truth)) for found in fitted]
    return fitted[int(np.argmin(errors))]


def recalled(summaries_BNHS: Floats, recall_HS: Floats) -> Floats:
    """Expected deviations from the typical day, (B, N, H), in scaled units."""
    return np.asarray(np.einsum("bnhs,hs->bnh", summaries_BNHS, recall_HS, optimize=True))
