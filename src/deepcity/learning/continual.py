"""Refining a learner as days come in, without beginning anew and without forgetting.

New rows are learned together with as many old ones (rehearsal, Robins 1995), at a small
rate and with a pull towards the weights it had. Then what was forgotten is measured: the
error on old rows that were kept aside. Where it rose by more than the bound, the weights
go back towards the old ones until it did not (weight interpolation, Wortsman et al. 2022,
"Robust fine-tuning of zero-shot models"); so the bound holds on those rows by construction.
"""

from dataclasses import dataclass, replace

import numpy as np

from deepcity.city.arrays import Floats
from deepcity.city.level import Layers
from deepcity.learning.features import Samples
from deepcity.learning.learner import EVERY_LAYER, Learner
from deepcity.learning.reuse import import_layers
from deepcity.learning.training import judge

RATE = 0.3  # of the learning rate of the first training
_HALVINGS = 5


@dataclass(frozen=True)
class Refined:
    """A refined learner, and what it cost of what was known before.

    Attributes:
        forgot: rise of the error on the old rows kept aside, as a share of what is counted from.
        moved: how far it went from the old weights (0) to what the new rows asked (1).
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
) -> Refined:
    """Learn from fresh rows, among them old ones, and forget no more than the bound.

    Args:
        old: rows it learned from before; as many as the fresh ones are drawn each time.
        aside: old rows that it never learns from, by which forgetting is measured.
        steps: optimizer steps.
        bound: by how much the error on `aside` may rise, as a share of `known`.
        known: the error on `aside` that forgetting counts from, as `memory_error` tells it;
            hand on that of the first learner, and the bound holds over all refinings
            together. Left out, that of the learner given.
        pull: weight of half the squared distance from the old weights in the loss.

    Returns:
        A learner of its own; the one given stays as it is.
    """
    before = learner.export(EVERY_LAYER)
    training = learner.settings.model_copy(
        update={
            "rounds": 1,
            "local_steps": steps,
            "learning_rate": RATE * learner.settings.learning_rate,
        }
    )
    data = replace(learner.data, train=rehearsed(old, fresh, seed), validation=aside)
    other = Learner(data, training, seed, start=before, frozen=learner.frozen)
    own = memory_error(other, aside)
    known = own if known is None else known
    allowed = max((1 + bound) * known, own)  # what was forgotten before is not to be mended
    other.train_round(0, proximal=pull)
    after = other.export(EVERY_LAYER)
    for halving in range(_HALVINGS + 1):
        moved = 0.5**halving if halving < _HALVINGS else 0.0
        layers = _between(before, after, moved)
        import_layers(other.network, layers)
        found = memory_error(other, aside)
        if not found > allowed:  # NaN: no old row was kept aside
            break
    kept = Learner(
        learner.data, learner.settings, learner.seed, start=layers, frozen=learner.frozen
    )
    return Refined(kept, found / known - 1 if known > 0 else 0.0, moved)


def rehearsed(old: Samples, fresh: Samples, seed: int) -> Samples:
    """Fresh origins, and as many old ones, drawn at random."""
    count = min(len(fresh), len(old))
    drawn = np.sort(np.random.default_rng(seed).choice(len(old), count, replace=False))
    return Samples.concat([old.take(drawn), fresh])


def memory_error(learner: Learner, samples: Samples) -> float:
    """The error that a service is judged by, on some rows."""
    return judge(learner.forecast(samples), samples, learner.settings.absolute_share)


def _between(before: Layers, after: Layers, moved: float) -> Layers:
    """Weights a share of the way from the old ones to the new ones."""

    def point(old: Floats, new: Floats) -> Floats:
        return np.asarray(old + np.float32(moved) * (new - old), old.dtype)

    return {
        layer: {name: point(old, after[layer][name]) for name, old in tensors.items()}
        for layer, tensors in before.items()
    }
