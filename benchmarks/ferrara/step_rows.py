"""One row a step: what a tree may ask about a step of a forecast.

From a party's fitted `ExogenousInputs`, so as little of the future is seen as there.

Shapes: B origins, N places, H horizon steps, F features; D days.
"""

import numpy as np

from benchmarks.ferrara.exogenous_features import ExogenousInputs
from deepcity.city.arrays import Floats, Ints
from deepcity.city.clock import DAY_S
from deepcity.learning.features.inputs import Samples

_MEANS_DAYS = (3, 7)  # deviations at a step's time of day, over so many days
_YEAR_DAYS = 365.25


def step_rows(
    exogenous: ExogenousInputs,
    samples: Samples,
    time_T: Ints,
    origins_B: Ints,
    lead: int,
) -> Floats:
    """(B, N, H, F): time, typical value, last days, days around holidays, weather.

    Args:
        samples: what `exogenous` says for these origins and this lead.
        time_T: UTC seconds of the panel's steps.
    """
    inputs = exogenous.inputs
    targets_BH = inputs._targets(origins_B, lead)
    shape = samples.baseline_BNH.shape
    typical = (samples.baseline_BNH - inputs.mean_N1) / inputs.spread_N1
    recent = np.stack([typical, *_same_time_means(exogenous, origins_B, targets_BH)], axis=-1)
    steps_BHF = np.concatenate(
        [
            _times(exogenous, time_T, targets_BH, lead),
            exogenous.at_steps(origins_B, targets_BH, lead),
        ],
        axis=-1,
    )
    each_BNHF = np.broadcast_to(steps_BHF[:, None], (*shape, steps_BHF.shape[-1]))
    linear = exogenous.lead_linear_features(samples, lead)
    return np.concatenate([each_BNHF, recent, linear], axis=-1).astype(np.float32)


def _times(exogenous: ExogenousInputs, time_T: Ints, targets_BH: Ints, lead: int) -> Floats:
    """(B, H, 5): how far ahead, time of day, weekday, season."""
    grid = exogenous.inputs.grid
    inside = np.clip(targets_BH, 0, len(grid.slot_T) - 1)
    phase = 2 * np.pi * time_T[inside] / (DAY_S * _YEAR_DAYS)
    weekday = grid.weekday_D[grid.day_T[inside]]
    ahead = np.full(inside.shape, lead)
    columns = [ahead, grid.slot_T[inside], weekday, np.sin(phase), np.cos(phase)]
    return np.stack(columns, axis=-1).astype(np.float32)


def _same_time_means(exogenous: ExogenousInputs, origins_B: Ints, targets_BH: Ints) -> list[Floats]:
    """Mean deviations at the target's time over the last known days, (B, N, H) each."""
    inputs = exogenous.inputs
    slots = inputs.grid.slots
    ahead = targets_BH - origins_B[:, None] + 1
    newest = targets_BH - -(-ahead // slots) * slots
    found, total = [], np.zeros((), np.float32)
    for day in range(max(_MEANS_DAYS)):
        total = total + inputs._at(inputs.deviation_TN, newest - day * slots)
        if day + 1 in _MEANS_DAYS:
            found.append(np.asarray(total / (day + 1), dtype=np.float32))
    return found
