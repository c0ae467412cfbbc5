"""What others tell a party of few days: how weekdays are called, and how far values stray.

Shapes: T steps, N places, D days.
"""

from dataclasses import replace

import numpy as np

from deepcity.city.arrays import Floats
from deepcity.data.windows import Span
from deepcity.learning.features import Inputs, scaled

_HEARSAY_DAYS = 2.0  # own days that what others say of the scale is worth


def told(inputs: Inputs, share: float, train: Span, adjacency_NN: Floats | None = None) -> Inputs:
    """A party's inputs for a network that others with more days have trained.

    They know what each weekday is like, so every weekday is named; and they know what share of
    a place's spread its typical day leaves, which a party's first day cannot tell.

    Args:
        share: of the others, see `Inputs.share`; worth two days of one's own.
    """
    days = len(train) / inputs.grid.slots
    heard_N1 = _HEARSAY_DAYS * (share * inputs.spread_N1) ** 2
    scale_N1 = np.sqrt((days * inputs.scale_N1**2 + heard_N1) / (days + _HEARSAY_DAYS))
    heard = replace(named(inputs), scale_N1=scale_N1.astype(np.float32))
    return scaled(heard, train, adjacency_NN)


def named(inputs: Inputs) -> Inputs:
    """A party's inputs with every weekday named, also those its training met but once."""
    week = np.eye(7, dtype=np.float32)[inputs.grid.weekday_D]
    return replace(inputs, weekday_D7=week)
