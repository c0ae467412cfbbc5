"""Layers sent to a party that lie far from its own: it goes on with its own, and says so.

Whoever sends layers can craft them so that an update would give rows away (trap weights, Boenisch
et al. 2021; imprint modules, Fowl et al. 2022), or spoil them. Honest rounds move a layer little:
over seven real sets by at most 0.09 of its own size for a hidden layer, 0.2 for a stem and 0.3 for
a head, and from the seed's layers to those of the last round by 0.18, 0.4 and 0.3.
"""

import math
from collections.abc import Mapping

import numpy as np

from deepcity.city.level import Layers, Tensors
from deepcity.exchange.exchange import Failure, answers
from deepcity.exchange.layer_vectors import flat
from deepcity.exchange.message import Message

MOST_MOVED = 1.0
"""Of its own size that a layer sent may lie away; over twice the most that honest ones did.

Layers of the same size with other contents lie about 1.4 away. A change of a few neurons is not
seen.
"""
UNUSED = "unused"
"""Number of an answer: how far, in its own sizes, the layers lay that the party did not use."""
_MOST = 1e9  # distances that are reported; more is as far
_REASON = "it went on with its own layers"


def distance(own: Layers, sent: Layers) -> float:
    """The farthest that a layer sent lies from the party's own, in the size of the own one.

    Not finite ones are infinitely far. Tensors that the party lacks, or has in another shape, are
    not measured: they are refused elsewhere.

    >>> own = {"h1": {"w": np.array([3.0, 4.0])}}
    >>> distance(own, {"h1": {"w": np.array([3.0, 14.0])}})
    2.0
    """
    return max((_of_layer(own[name], sent[name]) for name in sent if name in own), default=0.0)


def _of_layer(own: Tensors, sent: Tensors) -> float:
    alike = {
        name: tensor
        for name, tensor in own.items()
        if name in sent and sent[name].shape == tensor.shape
    }
    here, there = flat(alike, alike), flat(sent, alike)
    if not np.isfinite(there).all():
        return math.inf
    size = float(np.linalg.norm(here))
    moved = float(np.linalg.norm(there - here))
    return moved / size if size else (math.inf if moved else 0.0)


def unused_numbers(distance_: float) -> dict[str, float]:
    """The numbers by which a party says that it did not use what it was sent."""
    return {UNUSED: min(distance_, _MOST)} if not distance_ <= MOST_MOVED else {}


def unused_layers(replies: Mapping[str, Message | Failure]) -> list[Failure]:
    """Parties that did not use the layers sent to them, as they say."""
    return [
        Failure(
            party,
            f"{_REASON}: those sent to it lie {far:,.3g} times the size of its own away from them, "
            f"and {MOST_MOVED:g} is the limit; a member or the hub sends layers that are crafted "
            f"or damaged",
        )
        for party, reply in answers(replies).items()
        if (far := reply.numbers.get(UNUSED, 0.0)) > MOST_MOVED
    ]


def is_unused(failure: Failure) -> bool:
    """Whether a failure is one of `unused_layers`: the party's update counts all the same."""
    return failure.reason.startswith(_REASON)
