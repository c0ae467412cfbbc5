"""One row a step: what a tree may ask about a step of a forecast.

From a party's fitted `Outlook`, so as little of the future is seen as there.

Shapes: B origins, N places, H horizon steps, F features; D days.
"""

import numpy as np

from benchmarks.ferrara.outlook import Outlook
from deepcity.city.arrays import Floats, Ints
from deepcity.city.clock import DAY_S
from deepcity.learning.features import Samples

_MEANS_DAYS = (3, 7)  # deviations at a step's time of day, over so many days
_YEAR_DAYS = 365.25


def step_rows(
    outlook: Outlook,
    samples: Samples,
    time_T: Ints,
    origins_B: Ints,
    lead: int,
) -> Floats:
    """(B, N, H, F): time, typical value, last days, days around holidays, weather.

    Args:
        samples: what `outlook` says for these origins and this lead.
        time_T: UTC seconds of the panel's steps.
    """
    inputs = outlook.inputs
    targets_BH = inputs._targets(origins_B, lead)
    shape = samples.anchor_BNH.shape
    typical = (samples.anchor_BNH - inputs.level_N1) / inputs.spread_N1
    ways = np.stack([typical, *_same_time_means(outlook, origins_B, targets_BH)], axis=-1)
    steps_BHF = np.concatenate(
        [_times(outlook, time_T, targets_BH, lead), outlook.at_steps(origins_B, targets_BH, lead)],
        axis=-1,
    )
    each_BNHF = np.broadcast_to(steps_BHF[:, None], (*shape, steps_BHF.shape[-1]))
    own = outlook.own_summaries(samples, lead)
    return np.concatenate([each_BNHF, ways, own], axis=-1).astype(np.float32)


def _times(outlook: Outlook, time_T: Ints, targets_BH: Ints, lead: int) -> Floats:
    """(B, H, 5): how far ahead, time of day, weekday, season."""
    grid = outlook.inputs.grid
    inside = np.clip(targets_BH, 0, len(grid.slot_T) - 1)
    turn = 2 * np.pi * time_T[inside] / (DAY_S * _YEAR_DAYS)
    weekday = grid.weekday_D[grid.day_T[inside]]
    ahead = np.full(inside.shape, lead)
    columns = [ahead, grid.slot_T[inside], weekday, np.sin(turn), np.cos(turn)]
    return np.stack(columns, axis=-1).astype(np.float32)


def _same_time_means(outlook: Outlook, origins_B: Ints, targets_BH: Ints) -> list[Floats]:
    """Mean deviations at the target's time over the last known days, (B, N, H) each."""
    inputs = outlook.inputs
    slots = inputs.grid.slots
    ahead = targets_BH - origins_B[:, None] + 1
    newest = targets_BH - -(-ahead // slots) * slots
    found, total = [], np.zeros((), np.float32)
    for day in range(max(_MEANS_DAYS)):
        total = total + inputs._at(inputs.deviation_TN, newest - day * slots)
        if day + 1 in _MEANS_DAYS:
            found.append(np.asarray(total / (day + 1), dtype=np.float32))
    return found
