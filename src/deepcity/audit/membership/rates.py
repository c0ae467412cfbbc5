"""How well scores tell members from others: rates at few false alarms, and the area under them.

A mean hides the few who are betrayed for sure, so the rate of members found at one false alarm in
a hundred or in a thousand is what counts (Carlini et al. 2022).
"""

import numpy as np
from scipy.stats import rankdata

from deepcity.city.arrays import Bools, Floats

LEAST_FALSE = 5
"""So many false alarms a rate must allow to mean anything."""


def found_at(score_X: Floats, member_X: Bools, false_rate: float) -> float | None:
    """Share of members that are found while at most `false_rate` of the others are.

    None where so few others were scored that the rate would hang on single ones.

    >>> score_X, member_X = np.arange(2_000.0), np.arange(2_000) >= 1_000
    >>> found_at(score_X, member_X, 0.01), found_at(score_X, member_X, 0.001)
    (1.0, None)
    """
    others = np.sort(score_X[~member_X])
    allowed = int(false_rate * len(others))
    if allowed < LEAST_FALSE or not member_X.any():
        return None
    threshold = others[len(others) - allowed - 1]
    return float((score_X[member_X] > threshold).mean())


def area(score_X: Floats, member_X: Bools) -> float:
    """Chance that a member's score is above another's: 0.5 is guessing.

    >>> area(np.array([1.0, 2.0, 3.0, 4.0]), np.array([False, True, False, True]))
    0.75
    """
    members, others = int(member_X.sum()), int((~member_X).sum())
    if not members or not others:
        return 0.5
    ranks = rankdata(score_X)[member_X].sum()
    return float((ranks - members * (members + 1) / 2) / (members * others))
