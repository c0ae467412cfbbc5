"""Whether there are rows enough to attack a model."""

import numpy as np

from deepcity.audit.window.releases import STREAM
from deepcity.audit.window.victim import LEAST_ATTACKED, Victim
from deepcity.city.errors import DataError
from deepcity.city.problem import Problem


def check_victim(party: str, victim: Victim) -> Victim:
    """The victim, if each of its spans holds windows enough and its layers are finite.

    Raises:
        DataError: with every span that is too short, and every layer that is not finite.
    """
    layer, places = victim.layers[0], victim.divided(0)[1]
    problems = [
        Problem(party, key, rows, reason, right)
        for key, releases, reason, right in (
            (
                "training days",
                victim.learned,
                f"too few whole windows with {STREAM} releases for a decoder to learn from",
                "give the party more training days, or audit another party of the service",
            ),
            (
                "days kept aside",
                victim.attacked,
                f"fewer than {LEAST_ATTACKED} windows that its network has not learned from",
                "give more validation_days and test_days, or wait for more records",
            ),
        )
        if (rows := len(releases.pairs(layer, 1, places))) < LEAST_ATTACKED
    ]
    right = "its network is damaged or diverged: put back a copy, or run the map again"
    problems += [
        Problem(party, "activations", None, f"{name} holds NaN or infinity", right)
        for name, found in victim.attacked.layers.items()
        if not np.isfinite(found).all()
    ]
    if problems:
        raise DataError(problems)
    return victim
