"""Spatial inputs of a place: fixed mixing matrices over the places of one party.

Measured on road speeds, averages over graph neighbours and over all places were worth
more than learned low-rank mixing or place embeddings (docs/what-we-tried.md), and they
hold no trained parameter that could leak. They never leave their party. With few days of
training chance correlations are many, so leading places are sought among graph neighbours
only, where a graph is known.

Shapes: T steps, N places; a mixing matrix is (N, N) with rows that sum to 1 (or 0).
"""

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Doubles, Floats
from deepcity.data.windows import Span

MAX_MIXED_PLACES = 8192
"""Of more places without a graph, leading ones are not sought: every pair would be compared."""


def spatial_means(
    deviation_TN: Floats, train: Span, adjacency_NN: Floats | None, lag: int
) -> tuple[Floats, ...]:
    """Deviations averaged by each mixing matrix, (T, N); arguments as in `mixing_matrices`."""
    if adjacency_NN is None and deviation_TN.shape[1] > MAX_MIXED_PLACES:
        nothing_TN = np.broadcast_to(np.float32(0), deviation_TN.shape)
        mean_TN = np.broadcast_to(deviation_TN.mean(axis=1, keepdims=True), deviation_TN.shape)
        return nothing_TN, nothing_TN, mean_TN
    matrices = mixing_matrices(deviation_TN[train.start : train.end], adjacency_NN, lag)
    return tuple(deviation_TN @ matrix.T for matrix in matrices)


def mixing_matrices(deviation_TN: Floats, adjacency_NN: Floats | None, lag: int) -> list[Floats]:
    """Three spatial means for each place.

    1. graph neighbours (where an adjacency is known, else the four best leading places);
    2. leading places, whose deviation predicts this one's change `lag` steps later: among its
       graph neighbours and itself, or among all places where no adjacency is known;
    3. the mean of all places.

    Args:
        deviation_TN: deviations from the typical day over the training span, 0 where missing.
        adjacency_NN: weights >= 0, or None.
        lag: steps ahead that the second one is chosen for.
    """
    places = deviation_TN.shape[1]
    if places == 1:
        return [np.zeros((1, 1), np.float32)] * 3  # same inputs for parties of one place
    everyone = np.full((places, places), 1.0 / places, np.float32)
    lead_correlation = _lead_correlation(deviation_TN, lag)
    if adjacency_NN is None:
        leading = _rows_to_one(_strongest(lead_correlation, 16))
        return [_rows_to_one(np.square(_strongest(leading, 4))), leading, everyone]
    own = np.eye(places, dtype=bool)
    adjacent_NN = np.where(own, 0.0, adjacency_NN)
    leading = _rows_to_one(np.where(own | (adjacent_NN > 0), lead_correlation, 0.0))
    return [_rows_to_one(adjacent_NN), leading, everyone]


def _lead_correlation(deviation_TN: Floats, lag: int) -> Doubles:
    """Squared positive correlation of each place's unexplained future with the others' present.

    The future is first regressed on the place's own present and recent past, so that only
    what the others add counts.
    """
    back = min(3, max(1, lag // 2))
    present, past = deviation_TN[back:-lag].astype(np.float64), deviation_TN[: -lag - back]
    future = deviation_TN[back + lag :].astype(np.float64)
    places = present.shape[1]
    if not len(future):  # too short a span to estimate any
        return np.zeros((places, places))
    residual = np.empty_like(future)
    for place in range(places):
        own = np.stack([present[:, place], past[:, place], np.ones(len(past))], axis=1)
        coefficients = np.linalg.lstsq(own, future[:, place], rcond=None)[0]
        residual[:, place] = future[:, place] - own @ coefficients
    centred = present - present.mean(axis=0)
    spread = np.outer(residual.std(axis=0), present.std(axis=0)) * len(residual)
    correlation = residual.T @ centred / np.maximum(spread, 1e-9)
    return np.asarray(np.square(np.maximum(correlation, 0.0)))


def _strongest(weights_NN: NDArray[np.floating], keep: int) -> NDArray[np.floating]:
    if weights_NN.shape[1] <= keep:
        return weights_NN
    threshold = np.partition(weights_NN, -keep, axis=1)[:, -keep][:, None]
    return np.where(weights_NN >= threshold, weights_NN, 0.0)


def _rows_to_one(weights_NN: NDArray[np.floating]) -> Floats:
    total = weights_NN.sum(axis=1, keepdims=True)
    return np.asarray(weights_NN / np.where(total > 0, total, 1.0), dtype=np.float32)
