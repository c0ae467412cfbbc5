"""Property inference from parameters: is a property of the records told by what a party sends?

An attacker who knows the layers that a party began with trains shadows from them, on records with
and without the property, and learns to tell their updates apart (Ateniese et al. 2015; Ganju et al.
2018; Melis et al. 2019). Each pair of updates is told apart by a ridge classifier trained on the
others: as many numbers as an update has, and as few updates as there are, leave a linear one.

Shapes: M updates, D numbers of each.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from deepcity.audit.properties.properties import RecordsProperty
from deepcity.city.arrays import Bools, Floats
from deepcity.city.level import LADDER, Layers, layers_up_to

_RIDGE = 0.1
"""In the mean square of an update's distance from the middle."""
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
    return property_area(flat(updates, level), has_M)


def flat(updates: list[Layers], level: int) -> Floats:
    """The numbers of updates up to a level, (M, D); each tensor in its own scale over updates."""
    columns = []
    for layer in layers_up_to(level):
        for name in updates[0].get(layer, {}):
            tensor_MD = np.stack([one[layer][name].ravel() for one in updates]).astype(np.float64)
            columns.append(tensor_MD / max(float(tensor_MD.std()), 1e-12))
    return np.concatenate(columns, axis=1)


def property_area(update_MD: Floats, has_M: Bools) -> float:
    """The chance that an update with a property scores above one without, told by all others.

    Every pair of one with and one without is left out in turn (Airola et al. 2011): leaving out
    single ones would tip the balance of those that are learned from towards the other side, by
    which updates that hold nothing seem told the wrong way round.
    """
    gram_MM = update_MD @ update_MD.T
    within, without = np.flatnonzero(has_M).tolist(), np.flatnonzero(~has_M).tolist()
    wins = [_above(gram_MM, has_M, one, other) for one in within for other in without]
    return float(np.mean(wins))


def _above(gram_MM: Floats, has_M: Bools, one: int, other: int) -> float:
    """Whether an update scores above another by a ridge fitted on all but these two; ties: half."""
    kept = np.ones(len(has_M), bool)
    kept[[one, other]] = False
    sign_K = np.where(has_M[kept], 1.0, -1.0)
    known_KK = gram_MM[np.ix_(kept, kept)]
    # both sides are as many, so the middle of the two classes is the mean of all
    centred_KK = known_KK - known_KK.mean(axis=0) - known_KK.mean(axis=1)[:, None] + known_KK.mean()
    scale = float(np.trace(centred_KK)) / len(sign_K) or 1.0
    weight_K = np.linalg.solve(centred_KK / scale + _RIDGE * np.eye(len(sign_K)), sign_K)
    weight_K -= weight_K.mean()  # what centring takes off the two that are scored
    gap = float((gram_MM[one, kept] - gram_MM[other, kept]) @ weight_K)
    return 0.5 if gap == 0 else float(gap > 0)
