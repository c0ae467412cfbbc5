"""Recall by least absolute errors: for services that are evaluated by them.

Iteratively reweighted ridge (Schlossmacher 1973). All steps of a forecast first share their
coefficients, and then each step departs from them as far as its own rows demand: single
steps have too few rows to tell rare things, such as the day before a holiday.

Shapes: R rows, B origins, N places, H horizon steps, S summaries.
"""

import numpy as np

from deepcity.city.arrays import Doubles, Floats

_ROUNDS = 5
_SMALL = 0.15  # errors below this many scaled units weigh as if they were squared
_CLIP = 6.0  # in scaled units
RIDGE = 3.0  # in rows of one step: few, for a holiday comes a dozen times a year
STEP_RIDGE = 400.0


def least_absolute(rows_RS: Floats, truth_R: Floats, start_S: Floats, strength: float) -> Floats:
    """Coefficients (S,) with the least absolute error, drawn towards `start_S`.

    Args:
        strength: as if this many rows spoke for `start_S`, for summaries of spread 1.
    """
    known = np.isfinite(truth_R)
    rows = rows_RS[known].astype(np.float64)
    truth = np.clip(truth_R[known].astype(np.float64), -_CLIP, _CLIP) - rows @ start_S
    found: Doubles = np.zeros(rows.shape[1])
    left = truth
    for _ in range(_ROUNDS):
        weight = 1.0 / np.maximum(np.abs(left), _SMALL)
        gram = (rows * weight[:, None]).T @ rows
        gram += strength * float(weight.mean()) * np.eye(len(gram))
        found = np.asarray(np.linalg.solve(gram, rows.T @ (weight * truth)), dtype=np.float64)
        left = truth - rows @ found
    return np.asarray(start_S + found, dtype=np.float32)


def robust_ridge(linear_BNHS: Floats, deviation_BNH: Floats) -> Floats:
    """Coefficients (H, S): shared by all steps where a step's own rows say little."""
    horizon, size = linear_BNHS.shape[2:]
    start = np.zeros(size, np.float32)
    shared = least_absolute(
        linear_BNHS.reshape(-1, size), deviation_BNH.reshape(-1), start, RIDGE * horizon
    )
    steps = [
        least_absolute(
            linear_BNHS[:, :, step].reshape(-1, size),
            deviation_BNH[:, :, step].reshape(-1),
            shared,
            STEP_RIDGE,
        )
        for step in range(horizon)
    ]
    return np.stack(steps)
