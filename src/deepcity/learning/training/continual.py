"""Continual learning: a learner is refined on new days with a bound on forgetting.

It trains on new rows together with as many old ones (rehearsal, Robins 1995), at a small
learning rate and with a proximal term towards its former weights. Forgetting is measured as
the error on old rows kept aside. Where it rose by more than the bound, the weights move back
towards the former ones until it does not (weight interpolation, Wortsman et al. 2022,
"Robust fine-tuning of zero-shot models"); so the bound holds on those rows by construction.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from deepcity.city.arrays import Floats
from deepcity.city.level import Layers
from deepcity.learning.features.inputs import Samples
from deepcity.learning.networks.reuse import import_layers
from deepcity.learning.training.learner import EVERY_LAYER, Learner
from deepcity.learning.training.local_training import validation_score

RATE = 0.3  # share of the first training's learning rate
_HALVINGS = 5


@dataclass(frozen=True)
class RefineResult:
    """A refined learner, and how much it forgot.

    Attributes:
        forgot: rise of the error on the rows kept aside, as a share of `known`.
        moved: position between the former weights (0) and the newly trained ones (1).
    """

    learner: Learner
    forgot: float
    moved: float


def refine(
    learner: Learner,
    old: Samples,
    fresh: Samples,
    aside: Samples,
    *,
    steps: int,
    seed: int,
    bound: float = 0.02,
    known: float | None = None,
    pull: float = 0.01,
) -> RefineResult:
    """Train on fresh rows among old ones, and forget no more than the bound.

    Args:
        old: rows of its training; as many as fresh ones are sampled.
        aside: old rows that are never trained on, to measure forgetting.
        bound: by how much the error on `aside` may rise, as a share of `known`.
        known: the `memory_error` that forgetting counts from; with that of the first learner
            the bound holds over all refinements together. Left out, that of this learner.
        pull: weight of half the squared distance from the former weights in the loss.

    Returns:
        A new learner; the one given does not change.
    """
    before = learner.export(EVERY_LAYER)
    training = learner.settings.model_copy(
        update={
            "rounds": 1,
            "local_steps": steps,
            "learning_rate": RATE * learner.settings.learning_rate,
        }
    )
    data = replace(learner.data, train=with_rehearsal(old, fresh, seed), validation=aside)
    other = Learner(data, training, seed, start=before, frozen=learner.frozen)
    own = memory_error(other, aside)
    known = own if known is None else known
    allowed = max((1 + bound) * known, own)  # forgetting of earlier refinements is not undone
    other.train_round(0, proximal=pull)
    after = other.export(EVERY_LAYER)
    for halving in range(_HALVINGS + 1):
        moved = 0.5**halving if halving < _HALVINGS else 0.0
        layers = _interpolate(before, after, moved)
        import_layers(other.network, layers)
        found = memory_error(other, aside)
        if not found > allowed:  # NaN: no old row was kept aside
            break
    kept = Learner(
        learner.data, learner.settings, learner.seed, start=layers, frozen=learner.frozen
    )
    forgot = found / known - 1 if 0 < known < math.inf else 0.0
    return RefineResult(kept, forgot, moved)


def with_rehearsal(old: Samples, fresh: Samples, seed: int) -> Samples:
    """Fresh origins, and as many old ones, sampled at random."""
    count = min(len(fresh), len(old))
    sampled = np.sort(np.random.default_rng(seed).choice(len(old), count, replace=False))
    return Samples.concat([old.take(sampled), fresh])


def memory_error(learner: Learner, samples: Samples) -> float:
    """The service's validation error on some rows."""
    return validation_score(learner.forecast(samples), samples, learner.settings.mae_weight)


def _interpolate(before: Layers, after: Layers, moved: float) -> Layers:
    """Weights interpolated between the former ones (0) and the new ones (1)."""

    def point(old: Floats, new: Floats) -> Floats:
        return np.asarray(old + np.float32(moved) * (new - old), old.dtype)

    return {
        layer: {name: point(old, after[layer][name]) for name, old in tensors.items()}
        for layer, tensors in before.items()
    }
