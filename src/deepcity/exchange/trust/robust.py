"""Means that a few hostile values cannot move far, of one layer's updates.

How many liars each withstands, and what it costs where nobody lies, is measured by
`python -m benchmarks.hostile_members`. None of them helps where liars are half of the members.

Shapes: P members, V values of the layer.
"""

from collections.abc import Mapping

import numpy as np

from deepcity.city.arrays import Doubles

MOST_TIMES_MEDIAN = 3.0
MOST_TIMES_LENGTH, BOUNDED_FROM = 2.0, 7
"""From so many members on, no move of a layer counts for more than so many median lengths, whatever
the rule: by the plain mean, three liars of ten got a backdoor into 6 % of a member's forecasts.
"""
LEAST_FOR_KRUM = 5


def capped_weights(claimed: Mapping[str, float]) -> dict[str, float]:
    """Weights of which none is over three times the (lower) median of those over zero.

    A party's rows are what it claims. However many it claims, it weighs no more than three usual
    members: one liar among four has at most half of an average, whatever it writes.

    >>> capped_weights({"a": 100.0, "b": 120.0, "c": 1e12})
    {'a': 100.0, 'b': 120.0, 'c': 360.0}
    """
    some = sorted(weight for weight in claimed.values() if weight > 0)
    if not some:
        return dict(claimed)
    most = MOST_TIMES_MEDIAN * some[(len(some) - 1) // 2]
    return {party: min(weight, most) for party, weight in claimed.items()}


def coordinate_median(values_PV: Doubles) -> Doubles:
    """Each value's median over members (Yin et al. 2018, "Byzantine-robust distributed learning").

    Every member counts once, whatever its weight. Two members have no median but their mean.
    """
    return np.asarray(np.median(values_PV, axis=0))


def trimmed_mean(values_PV: Doubles, trim: float) -> Doubles:
    """Each value's mean without the greatest and the least (Yin et al. 2018).

    Args:
        trim: share of members left out on each side; of three members or more, at least one.
    """
    members = len(values_PV)
    cut = min(max(1, int(trim * members)), (members - 1) // 2)
    ordered_PV = np.sort(values_PV, axis=0)
    return np.asarray(ordered_PV[cut : members - cut].mean(axis=0))


def clipped_mean(moves_PV: Doubles, weights_P: Doubles, clip: float) -> Doubles:
    """The weighted mean of moves, none longer than `clip` times the median length.

    Sun et al. 2019, "Can you really backdoor federated learning?", with a threshold that follows
    the members' own lengths.
    """
    return np.asarray((weights_P / weights_P.sum() * length_factors(moves_PV, clip)) @ moves_PV)


def length_factors(moves_PV: Doubles, most_times: float) -> Doubles:
    """(P,) by which each move has at most `most_times` the (lower) median length; 1 where it has.

    >>> length_factors(np.array([[1.0], [1.0], [-8.0]]), 2.0)
    array([1.  , 1.  , 0.25])
    """
    largest = max(-float(moves_PV.min(initial=0.0)), float(moves_PV.max(initial=0.0))) or 1.0
    # one member at a time: squares stay in range, and a thousand members need no second copy
    length_P = largest * np.array([np.linalg.norm(move_V / largest) for move_V in moves_PV])
    most = most_times * float(np.sort(length_P)[(len(length_P) - 1) // 2])
    return np.asarray(np.minimum(1.0, most / np.where(length_P > 0, length_P, 1.0)))


def multi_krum(values_PV: Doubles, weights_P: Doubles) -> Doubles:
    """The weighted mean of the members whose nearest neighbours are closest (Blanchard et al. 2017,
    "Machine learning with adversaries").

    It is defined for five members or more, of whom up to (P - 3) / 2 may lie; as many are left
    out. Of fewer members the coordinate median is taken.
    """
    members = len(values_PV)
    if members < LEAST_FOR_KRUM:
        return coordinate_median(values_PV)
    liars = (members - 3) // 2
    with np.errstate(over="ignore"):
        distance_PP = np.array([((values_PV - one) ** 2).sum(axis=1) for one in values_PV])
    nearest = np.sort(distance_PP, axis=1)[:, 1 : members - liars - 1]
    kept = np.sort(np.argsort(nearest.sum(axis=1), kind="stable")[: members - liars])
    share = weights_P[kept] / weights_P[kept].sum()
    return np.asarray(share @ values_PV[kept])
