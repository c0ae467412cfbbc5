"""Calibrated bands by split conformal prediction (Vovk et al. 2005; Lei et al. 2018).

The absolute errors on the validation span, which the weights were not fitted to, say how
wide a band must be for each place and horizon step to hold the truth with a stated
frequency. Guaranteed when validation and test days are exchangeable; cities drift, so the
coverage on the test span is always reported beside the band.

Shapes: B origins, N places, H horizon steps.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def half_width(forecast_BNH: Floats, truth_BNH: Floats, level: float = 0.9) -> Floats:
    """Half the band's width for each place and step, (N, H), in the field's unit.

    Takes the ceil((n + 1) * level)-th smallest of n errors. A place whose n is too small
    for that, or zero, gets the step's widest known half-width.
    """
    error = np.abs(forecast_BNH - truth_BNH)
    count_NH = np.isfinite(error).sum(axis=0)
    rank_NH = np.ceil((count_NH + 1) * level).astype(int)
    ordered = np.sort(np.where(np.isfinite(error), error, np.inf), axis=0)
    last = max(error.shape[0] - 1, 0)
    picked = np.take_along_axis(ordered, np.clip(rank_NH - 1, 0, last)[None], axis=0)[0]
    picked = np.where(rank_NH <= count_NH, picked, np.inf)
    finite = np.where(np.isfinite(picked), picked, 0.0)
    return np.where(np.isfinite(picked), picked, finite.max(axis=0)).astype(np.float32)


def coverage(truth_BNH: Floats, low_BNH: Floats, high_BNH: Floats) -> float:
    """Share of measured truths inside their band; NaN where nothing was measured."""
    known = np.isfinite(truth_BNH)
    inside = (truth_BNH >= low_BNH) & (truth_BNH <= high_BNH) & known
    return float(inside.sum() / known.sum()) if known.any() else float("nan")
