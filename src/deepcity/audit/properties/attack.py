"""Property inference from parameters: is a property of the records told by what a party sends?

An attacker who knows the layers that a party began with trains shadows from them, on records with
and without the property, and learns to tell their updates apart (Ateniese et al. 2015; Ganju et al.
2018; Melis et al. 2019). Each update in turn is told by a ridge classifier trained on the others:
as many numbers as an update has, and as few updates as there are, leave a linear one.

Shapes: M updates, D numbers of each.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from deepcity.audit.membership.rates import area
from deepcity.audit.properties.properties import RecordsProperty
from deepcity.city.arrays import Bools, Floats
from deepcity.city.level import LADDER, Layers, layers_up_to

_RIDGES = (0.01, 0.1, 1.0, 10.0)
UpdateOf = Callable[[RecordsProperty, bool, int], Mapping[int, Layers]]
"""From a property, whether the records have it, and a seed to the moves of a network's layers after
so many rounds."""


@dataclass(frozen=True)
class PropertyLeak:
    """How well a property is told from an update.

    Attributes:
        rounds: after which it is sent.
        level: layers up to which it holds; 6: the head too.
        shadows: updates, half of them of records with the property.
        area: chance that one with the property scores above one without; 0.5 is guessing.
    """

    which: RecordsProperty
    rounds: int
    level: int
    shadows: int
    area: float


def audit_property(
    which: RecordsProperty, update_of: UpdateOf, shadows: int, seed: int
) -> list[PropertyLeak]:
    """How well a property is told from updates, for every number of rounds and level.

    Args:
        shadows: networks trained; even, 8 or more.

    Raises:
        ValueError: of fewer than eight, or an odd number.
    """
    if shadows < 8 or shadows % 2:
        raise ValueError(f"{shadows} shadow networks; an even number from 8 on is needed")
    has_M = np.arange(shadows) % 2 == 0
    updates = [
        update_of(which, bool(has), seed * 1_000 + number) for number, has in enumerate(has_M)
    ]
    return [
        PropertyLeak(which, rounds, level, shadows, _area(sent, level, has_M))
        for rounds in updates[0]
        for sent in [[one[rounds] for one in updates]]
        for level in range(1, len(LADDER) + 1)
    ]


def _area(updates: list[Layers], level: int, has_M: Bools) -> float:
    return area(property_scores(flat(updates, level), has_M), has_M)


def flat(updates: list[Layers], level: int) -> Floats:
    """The numbers of updates up to a level, (M, D); each tensor in its own scale over updates."""
    columns = []
    for layer in layers_up_to(level):
        for name in updates[0].get(layer, {}):
            tensor_MD = np.stack([one[layer][name].ravel() for one in updates]).astype(np.float64)
            columns.append(tensor_MD / max(float(tensor_MD.std()), 1e-12))
    return np.concatenate(columns, axis=1)


def property_scores(update_MD: Floats, has_M: Bools) -> Floats:
    """Each update's score by the others, (M,), of the ridge that tells the others best.

    Kernel ridge regression without an intercept; the middle of the two classes of those that it
    learns from is taken off before.
    """
    sign_M = np.where(has_M, 1.0, -1.0)
    scores = [_left_out(update_MD, sign_M, ridge) for ridge in _RIDGES]
    found = np.empty(len(sign_M), np.float32)
    for one in range(len(sign_M)):
        others = np.arange(len(sign_M)) != one
        best = max(scores, key=lambda score_M: area(score_M[others], has_M[others]))
        found[one] = best[one]
    return found


def _left_out(update_MD: Floats, sign_M: Floats, ridge: float) -> Floats:
    """Scores of each update by a fit on all others."""
    scores = np.empty(len(sign_M), np.float32)
    for one in range(len(sign_M)):
        others = np.arange(len(sign_M)) != one
        middle_D = 0.5 * sum(update_MD[others & (sign_M == side)].mean(axis=0) for side in (1, -1))
        known_KD = update_MD[others] - middle_D
        gram_KK = known_KD @ known_KD.T
        scale = np.trace(gram_KK) / len(gram_KK) or 1.0
        fitted_K = np.linalg.solve(gram_KK / scale + ridge * np.eye(len(gram_KK)), sign_M[others])
        scores[one] = (update_MD[one] - middle_D) @ known_KD.T @ fitted_K / scale
    return scores
