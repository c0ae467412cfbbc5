"""Scales of a party's values and deviations; they never leave the party.

Shapes: T steps, N places.
"""

import numpy as np

from deepcity.city.arrays import Floats
from deepcity.data.windows import Span

CLIP = 8.0  # in scaled units: one broken sensor must not dominate a batch


def fit_scaling(
    values_TN: Floats, typical_TN: Floats, train: Span, *, shared: bool
) -> tuple[Floats, Floats, Floats]:
    """Scale of deviations, spread and mean of values, (N, 1) each, from training rows.

    Args:
        shared: one scale and one spread for all places.
    """
    values = values_TN[train.start : train.end].astype(np.float64)
    deviation = values - typical_TN[train.start : train.end]
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    level = np.where(known, values, 0.0).sum(axis=0) / count
    variance = np.where(known, (values - level) ** 2, 0.0).sum(axis=0) / count
    square = np.where(known, deviation**2, 0.0).sum(axis=0) / count
    if shared:
        variance = np.full_like(variance, variance.mean())
        square = np.full_like(square, square.mean())
    spread, scale = np.sqrt(variance), np.sqrt(square)
    spread = np.where(spread > 0, spread, 1.0)  # a constant place: any scale will do
    scale = np.maximum(scale, 1e-3 * spread)
    return tuple(part[:, None].astype(np.float32) for part in (scale, spread, level))  # type: ignore[return-value]


def scaled_deviations(values_TN: Floats, typical_TN: Floats, scale_N1: Floats) -> Floats:
    """Deviations from typical values in a scale, clipped; 0 where nothing was measured."""
    deviation = (values_TN - typical_TN) / scale_N1[:, 0]
    clipped = np.clip(np.nan_to_num(deviation, nan=0.0), -CLIP, CLIP)
    return np.asarray(clipped, dtype=np.float32)
