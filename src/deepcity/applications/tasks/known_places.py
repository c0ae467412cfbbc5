"""Deciding where some places have no forecast: they take no part, and the decision says so.

Shapes: N places, H horizon steps.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from deepcity.applications.decision import Confirm, Decision, Reason
from deepcity.applications.state import State
from deepcity.city.arrays import Bools

LEFT_OUT = "places-without-forecast"
"""Code of the reason that counts the places that took no part."""


def decide_where_known(decide: Callable[[State], Decision], state: State) -> Decision:
    """The decision on the places whose forecast is known at every step.

    Where none is, nothing is recommended, with certainty 0: no warning would be one too.
    """
    known_N: Bools = np.asarray(np.isfinite(state.forecast_NH).all(axis=1))
    if known_N.all() and len(known_N):
        return decide(state)
    left_out = Reason(LEFT_OUT, {"places": float((~known_N).sum()), "of": float(len(known_N))})
    if not known_N.any():
        reasons = (Reason("no-forecast"), left_out)
        return Decision((), reasons, 0.0, state.valid_until_s, Confirm.OPERATOR)
    known_TN, adjacency_NN = state.known_TN, state.adjacency_NN
    made = decide(
        replace(
            state,
            places=tuple(state.places[n] for n in np.flatnonzero(known_N).tolist()),
            forecast_NH=state.forecast_NH[known_N],
            past=state.past.at_places(known_N),
            others={name: one_NH[known_N] for name, one_NH in state.others.items()},
            known_TN=None if known_TN is None else known_TN[:, known_N],
            adjacency_NN=None if adjacency_NN is None else adjacency_NN[np.ix_(known_N, known_N)],
        )
    )
    return replace(made, reasons=(*made.reasons, left_out))
