"""Which network a city uses: its own, or one of those that others had a part in.

Chosen by the city's own validation people, so that joining makes no city worse as far as these can
tell: a joined network replaces its own only if the average precision of the city's queries is
higher by more than chance would have it, one standard error of the differences by query.

Shapes: Q queries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.level import ALONE
from deepcity.learning.identity.learner import IdentityLearner
from deepcity.learning.identity.retrieval import Sightings, find, one_query_each

MARGIN = 1.0  # standard errors


@dataclass(frozen=True)
class BestLevel:
    """The level chosen, and what it gained.

    Attributes:
        level: 0 for its own.
        gains: level -> gain of mean average precision against its own, on validation people.
        errors: level -> standard error of that gain, over queries; infinite with fewer than two.
    """

    level: int
    gains: Mapping[int, float]
    errors: Mapping[int, float]


def best_level(alone: IdentityLearner, joined: Mapping[int, IdentityLearner]) -> BestLevel:
    """Compare each level's network with the city's own, on the city's validation people."""
    own_Q = _precisions(alone, alone)
    gains, errors = {ALONE: 0.0}, {ALONE: 0.0}
    for level, learner in joined.items():
        difference_Q = _precisions(learner, alone) - own_Q
        gains[level], errors[level] = _mean_and_error(difference_Q)
    return BestLevel(level_for_sure(gains, errors), gains, errors)


def level_for_sure(gains: Mapping[int, float], errors: Mapping[int, float]) -> int:
    """The level that gains most, of those that gain more than chance would have it; else 0.

    >>> level_for_sure({0: 0.0, 3: 0.02, 5: 0.05}, {0: 0.0, 3: 0.01, 5: 0.06})
    3
    >>> level_for_sure({0: 0.0, 5: 0.05}, {0: 0.0, 5: 0.06})
    0
    """
    better = [level for level, gain in gains.items() if gain > MARGIN * errors[level]]
    return max(better, key=lambda level: gains[level], default=ALONE)


def _precisions(learner: IdentityLearner, home: IdentityLearner) -> np.ndarray:
    """Average precision of each query among the city's validation people."""
    shown = home.data.validation
    seen = Sightings(learner.embed(shown.input_I), shown.person_I, shown.camera_I)
    return find(seen.of(one_query_each(seen.person_I, seen.camera_I)), seen).precision_Q


def _mean_and_error(difference_Q: Sequence[float] | np.ndarray) -> tuple[float, float]:
    count = len(difference_Q)
    if count < 2:
        return 0.0, float("inf")
    return float(np.mean(difference_Q)), float(np.std(difference_Q, ddof=1) / np.sqrt(count))
