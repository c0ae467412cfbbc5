"""A party's rows as its experts see them, for tests that every expert faces."""

from dataclasses import replace

import numpy as np
from signals import QUICK, SHORT, panel

from deepcity.data.windows import Span, origins
from deepcity.learning.experts.expert import ExpertData
from deepcity.learning.features.inputs import fit_inputs, train_origins

DAYS, TRAIN_DAYS, ASIDE_DAYS = 50, 34, 6
END = (TRAIN_DAYS + ASIDE_DAYS) * 24


def town(values=None, *, places=2, window=SHORT) -> ExpertData:
    """Fifty days of flows: 34 to learn from, 6 aside, and 10 that have come since."""
    whole = panel(DAYS, places)
    if values is not None:
        whole = replace(whole, values_TNF=values)
    train, aside = Span(0, TRAIN_DAYS * 24), Span(TRAIN_DAYS * 24, END)
    return ExpertData(
        party="town/office",
        panel=whole,
        inputs=fit_inputs(whole, "flow", window, train, validation=aside),
        train=train,
        aside=aside,
        train_B=train_origins(window, train),
        aside_B=origins(aside, window.horizon, stride=3),
        training=QUICK,
        seed=3,
    )


def later() -> np.ndarray:
    """Origins after the rows kept aside, at all hours."""
    return np.arange(END, (DAYS - 1) * 24, 5)
