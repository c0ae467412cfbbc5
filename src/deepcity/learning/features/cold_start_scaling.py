"""Scaling of a party with few days, shrunk towards what parties with more days found.

Shapes: T steps, N places, D days.
"""

from dataclasses import replace

import numpy as np

from deepcity.city.arrays import Floats
from deepcity.data.windows import Span
from deepcity.learning.features.inputs import Inputs, with_scale

_PRIOR_DAYS = 2.0  # weight of the others' ratio, in days of one's own
_RATIOS = (1e-3, 3.0)  # a ratio of two spreads; others may report any number


def shrink_scale(
    inputs: Inputs, residual_ratio: float, train: Span, adjacency_NN: Floats | None = None
) -> Inputs:
    """A party's inputs for a network trained by parties with more days.

    That network knows every weekday, so each is encoded. The scale of deviations, which a
    first day cannot estimate, is shrunk towards the others' residual ratio.

    Args:
        residual_ratio: of the others, see `Inputs.residual_ratio`; weighs two days of one's own,
            and is capped.
    """
    days = len(train) / inputs.grid.slots
    residual_ratio = min(max(residual_ratio, _RATIOS[0]), _RATIOS[1])
    prior_N1 = _PRIOR_DAYS * (residual_ratio * inputs.spread_N1) ** 2
    scale_N1 = np.sqrt((days * inputs.scale_N1**2 + prior_N1) / (days + _PRIOR_DAYS))
    shrunk = replace(with_all_weekdays(inputs), scale_N1=scale_N1.astype(np.float32))
    return with_scale(shrunk, train, adjacency_NN)


def with_all_weekdays(inputs: Inputs) -> Inputs:
    """A party's inputs with every weekday encoded, also one that training saw only once."""
    week = np.eye(7, dtype=np.float32)[inputs.grid.weekday_D]
    return replace(inputs, weekday_D7=week)
