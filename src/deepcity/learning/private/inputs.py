"""Inputs of which a unit's records reach few windows, and how far.

Ordinary inputs mix places, and let a day's records count in the typical days of eight weeks and in
the scale of all. Here nothing passes from one place to another. Where a sensor's day is the unit,
level, typical day and scale come from noisy sums (`deepcity.learning.private.reference`), and a
window holds its history, its targets and the calendar, no more: it depends on the records of the
days that these touch. Where a place is the unit, all its records may count in all its windows.

The ridge skip connection is fixed: what the last step deviates fades within a day.

Shapes: T steps, N places, K leads, H horizon steps, S linear features.
"""

from dataclasses import replace

import numpy as np

from deepcity.city.arrays import Doubles, Floats
from deepcity.data.windows import Span
from deepcity.learning.features.cold_start_scaling import with_all_weekdays
from deepcity.learning.features.inputs import Inputs
from deepcity.learning.features.ridge_skip import decay_priors
from deepcity.learning.features.scaling import fit_scaling, scaled_deviations
from deepcity.learning.private.reference import (
    PlaceReference,
    private_reference,
    rest_days,
)
from deepcity.privacy.accounting.noise_stream import NoiseStream

_LIFETIME = 2  # of `decay_priors`: 24 steps


def day_reference(
    inputs: Inputs, train: Span, noise: NoiseStream, multiplier: float
) -> PlaceReference:
    """The noisy statistics of the training days."""
    values_TN = inputs.values_TN[: train.end].copy()
    values_TN[: train.start] = np.nan
    total, count = inputs.grid.fold(values_TN)
    days = np.unique(inputs.grid.day_T[train.start : train.end])
    with np.errstate(invalid="ignore"):
        values_DSN = np.where(count > 0, total / count, np.nan)[days]
    return private_reference(values_DSN, rest_days(inputs.grid)[days], noise, multiplier)


def inputs_by_day(inputs: Inputs, reference: PlaceReference) -> Inputs:
    """A party's inputs, of which a window depends on the days alone that it touches.

    Args:
        inputs: its ordinary ones.
    """
    typical_TN = reference.at(inputs.grid).astype(np.float32)
    window = inputs.settings.model_copy(update={"days": 0})
    scale_N = reference.scale_N
    found = replace(
        inputs,
        settings=window,
        typical_KTN=np.repeat(typical_TN[None], window.leads, axis=0),
        scale_N1=_column(scale_N),
        spread_N1=_column(reference.spread_N),
        mean_N1=_column(reference.mean_N),
    )
    return _unmixed(with_all_weekdays(found))


def inputs_by_place(inputs: Inputs, train: Span) -> Inputs:
    """A party's inputs, of which a window depends on its own place alone."""
    scale_N1, spread_N1, mean_N1 = fit_scaling(
        inputs.values_TN, inputs.typical_KTN[0], train, shared=False
    )
    found = replace(inputs, scale_N1=scale_N1, spread_N1=spread_N1, mean_N1=mean_N1)
    return _unmixed(with_all_weekdays(found))


def _unmixed(inputs: Inputs) -> Inputs:
    """Without means over places, and with a fixed ridge skip connection."""
    window = inputs.settings
    deviation_TN = scaled_deviations(inputs.values_TN, inputs.typical_KTN[0], inputs.scale_N1)
    trends = (inputs.typical_KTN, inputs.typical_KTN) if not window.days else inputs.trends_KTN
    alike = np.ones_like(inputs.effective_days_KTN)
    bare = replace(
        inputs,
        trends_KTN=trends,
        effective_days_KTN=inputs.effective_days_KTN if window.days else alike,
        deviation_TN=deviation_TN,
        mixed_TN=(),
        summed_TN=np.concatenate([np.zeros_like(deviation_TN[:1]), deviation_TN.cumsum(0)]),
    )
    features = (3 + 2 * bool(window.days)) * window.leads
    ridge_HS = decay_priors(window.horizon, window.leads, features)[_LIFETIME]
    return replace(bare, ridge_skip_HS=ridge_HS)


def _column(values_N: Doubles) -> Floats:
    return np.asarray(values_N[:, None], dtype=np.float32)
