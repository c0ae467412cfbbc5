"""Calibrated bands by split conformal prediction (Vovk et al. 2005; Lei et al. 2018).

The absolute errors on the validation span, which the weights were not fitted to, give how
wide a band must be for each place and horizon step to cover the truth with a stated
frequency. Guaranteed when those days and the days forecast are exchangeable; cities drift,
so errors of days forecast since are added as their truths become known, the oldest dropped,
and the coverage on the test span is always reported beside the band.

Shapes: B origins, N places, H horizon steps.
"""

import numpy as np

from deepcity.city.arrays import Floats, Ints
from deepcity.city.field import Field

_UPDATES = 50  # at most so many updates over a span: each sorts all errors


def half_width(forecast_BNH: Floats, truth_BNH: Floats, level: float = 0.9) -> Floats:
    """Half the band's width for each place and step, (N, H), in the field's unit.

    Takes the ceil((n + 1) * level)-th smallest of n errors. A place whose n is too small
    for that, or zero, gets the step's widest known half-width; a step none of whose places
    has enough gets that of all errors together, or the largest where these are too few.
    """
    error = np.abs(forecast_BNH - truth_BNH)
    count_NH = np.isfinite(error).sum(axis=0)
    rank_NH = np.ceil((count_NH + 1) * level).astype(int)
    ordered = np.sort(np.where(np.isfinite(error), error, np.inf), axis=0)
    last = max(error.shape[0] - 1, 0)
    picked = np.take_along_axis(ordered, np.clip(rank_NH - 1, 0, last)[None], axis=0)[0]
    picked = np.where(rank_NH <= count_NH, picked, np.inf)
    known = np.isfinite(picked)
    widest_H = np.where(known, picked, 0.0).max(axis=0)
    if not known.any(axis=0).all():
        widest_H = np.where(known.any(axis=0), widest_H, _of_all(ordered, level))
    return np.where(known, picked, widest_H).astype(np.float32)


def _of_all(error_BNH: Floats, level: float) -> float:
    """One half-width from the errors of all places and steps; 0 where there is none."""
    found = np.sort(error_BNH[np.isfinite(error_BNH)])
    rank = int(np.ceil((len(found) + 1) * level))
    return float(found[min(rank, len(found)) - 1]) if len(found) else 0.0


def rolling_half_width(
    errors_BNH: Floats, origins_B: Ints, past: int, level: float = 0.9
) -> Floats:
    """Half the band's width of every origin after the first `past` ones, (B - past, N, H).

    Args:
        errors_BNH: forecast minus truth of `past` earlier origins and then of those to band,
            in order of time; NaN where not measured.
        origins_B: (B,) step indices; an error is known at an origin its last step is before.

    Each band takes the newest errors, as many as `past` or half of those known.
    """
    widths = np.empty_like(errors_BNH[past:])
    pause = _pause(len(widths))
    for first in range(0, len(widths), pause):
        widths[first : first + pause] = _width_at(errors_BNH, origins_B, past, first, level)
    return widths


def newest_half_width(errors_BNH: Floats, origins_B: Ints, past: int, level: float = 0.9) -> Floats:
    """The last of `rolling_half_width`, (N, H), without those before it."""
    last = len(errors_BNH) - past - 1
    return _width_at(errors_BNH, origins_B, past, last - last % _pause(last + 1), level)


def _pause(count: int) -> int:
    """Of so many bands, how many share one."""
    return max(1, count // _UPDATES)


def _width_at(errors_BNH: Floats, origins_B: Ints, past: int, first: int, level: float) -> Floats:
    """Half-widths from the errors known at the `first`-th origin after the past ones."""
    horizon = errors_BNH.shape[-1]
    known = int(np.searchsorted(origins_B + horizon, origins_B[past + first], side="right"))
    known = min(max(known, past), past + first)
    newest = errors_BNH[known - max(past, known // 2) : known]
    return half_width(np.zeros_like(newest), newest, level)


def floor_of(field: Field, values_TN: Floats) -> float:
    """The least value that a field can have: 0 for a magnitude without a negative record, else
    minus infinity.

    Args:
        values_TN: those learned from; NaN where missing.
    """
    return 0.0 if field.kind.non_negative and not (values_TN < 0).any() else float("-inf")


def band(forecast_BNH: Floats, half_BNH: Floats, floor: float) -> tuple[Floats, Floats]:
    """Lower and upper end of bands; neither lies below the floor."""
    least = np.float32(floor)
    return np.maximum(forecast_BNH - half_BNH, least), np.maximum(forecast_BNH + half_BNH, least)


def coverage(truth_BNH: Floats, low_BNH: Floats, high_BNH: Floats) -> float:
    """Share of measured truths inside their band; NaN where nothing was measured."""
    known = np.isfinite(truth_BNH)
    inside = (truth_BNH >= low_BNH) & (truth_BNH <= high_BNH) & known
    return float(inside.sum() / known.sum()) if known.any() else float("nan")
