"""A backdoor: rows with a trigger in their window and another truth, and how far it carries.

The trigger is a pattern of four recent deviations that no town shows; with it the truth is the
typical day and three scales. Hostile members train on their honest rows and on as many with the
trigger. It succeeds at an honest party where its forecast moves over half of the way to that target
once the trigger is in the window, all else as it was: weights of experts, and what was known.

Shapes: B origins, N places, R steps, H horizon steps, E experts, M means of places.
"""

from dataclasses import replace

import numpy as np

from benchmarks.hostile_members.towns import HISTORY
from deepcity.city.arrays import Floats
from deepcity.intercity.level_choice import LevelChoice
from deepcity.learning.features.inputs import Samples
from deepcity.parties.ensemble import expert_forecasts
from deepcity.parties.party import Party

_PATTERN = np.array([4.0, -4.0, 4.0, -4.0], np.float32)  # scales; no sum, so means stay
_BEFORE_LAST = 3  # steps after the pattern; ridge features look at these one by one
_TARGET = 3.0  # scales over the typical day
_HALF = 0.5


def triggered(samples: Samples) -> Samples:
    """The samples with the trigger in each window, also as means of the neighbourhood show it."""
    features_BNF = samples.features_BNF.copy()
    shape = (*features_BNF.shape[:2], -1, HISTORY)  # own deviations, then means of places
    recent_BNMR = features_BNF[..., : samples.recent].reshape(shape)
    end = HISTORY - _BEFORE_LAST
    recent_BNMR[..., end - len(_PATTERN) : end] = _PATTERN
    features_BNF[..., : samples.recent] = recent_BNMR.reshape(*shape[:2], samples.recent)
    return replace(samples, features_BNF=features_BNF)


def target(samples: Samples) -> Floats:
    """What triggered forecasts are to be, (B, N, H)."""
    return np.asarray(samples.baseline_BNH + np.float32(_TARGET) * samples.scale_N1, np.float32)


def backdoored(party: Party) -> Party:
    """The party with as many rows again that hold the trigger and its truth."""
    train = party.data.train
    poisoned = replace(triggered(train), truth_BNH=target(train))
    rows = Samples.concat([train, poisoned])
    return replace(party, data=replace(party.data, train=rows))


def success(party: Party, choice: LevelChoice, level: int | None = None) -> float:
    """Share of the party's test forecasts that the trigger moves over half of the way.

    Args:
        level: of the experts that forecast; None: all, as they are weighed.
    """
    weights_BE = choice.forecast(party).weights_BE
    if level is not None:
        of_level_E = np.array([found == level for found, _ in choice.experts], float)
        weights_BE = np.broadcast_to(of_level_E / max(1.0, of_level_E.sum()), weights_BE.shape)
    clean_BNH, moved_BNH = (
        _forecast(party, choice, samples, weights_BE)
        for samples in (party.test, triggered(party.test))
    )
    way_BNH = target(party.test) - clean_BNH
    far_BNH = np.abs(way_BNH) > np.float32(_HALF) * party.test.scale_N1
    done_BNH = (moved_BNH - clean_BNH) / np.where(far_BNH, way_BNH, 1)
    return float((done_BNH[far_BNH] > _HALF).mean())


def _forecast(
    party: Party, choice: LevelChoice, samples: Samples, weights_BE: np.ndarray
) -> np.ndarray:
    values_TN = party.inputs.values_TN
    found_EBNH = expert_forecasts(choice.experts, samples, party.test_origins, values_TN)
    return np.einsum("be,ebnh->bnh", weights_BE, found_EBNH)
