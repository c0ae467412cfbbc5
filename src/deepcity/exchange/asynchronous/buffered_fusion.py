"""Buffered asynchronous fusion: how stale updates count, and the state between two answers.

FedBuff (Nguyen et al. 2022, "Federated learning with buffered asynchronous aggregation"): the
coordinator fuses as soon as some updates have come, and each counts by how far its party moved
from the layers that it was sent. The weight of staleness is FedAsync's polynomial (Xie et al.
2019, "Asynchronous federated optimization").

A version is the number of fusions done. An update's staleness is the number of fusions since its
party was sent the layers that it began with.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from deepcity.city.level import Layers, Tensors
from deepcity.exchange.exchange import Failure
from deepcity.exchange.fusion import LARGEST


@dataclass(frozen=True)
class BufferedFusion:
    """How updates are fused as they come.

    Attributes:
        buffer_size: so many updates are waited for; what else has come by then is fused with them.
        staleness_exponent: a of the weight 1 / (1 + staleness)^a; 0 weighs all alike.
        round_seconds: party -> how long its rounds take on the clock of a run in one process; 1
            where none is given.
    """

    buffer_size: int
    staleness_exponent: float = 0.5
    round_seconds: Mapping[str, float] = field(default_factory=dict)

    def factor(self, staleness: int) -> float:
        """The weight of an update this stale.

        >>> BufferedFusion(2).factor(0), BufferedFusion(2).factor(3)
        (1.0, 0.5)
        """
        return float((1 + staleness) ** -self.staleness_exponent)


@dataclass(frozen=True)
class AwaitedUpdate:
    """A party was asked to train, and its update has not come.

    Attributes:
        version: when it was asked; the round that it trains.
        base: the layers that it was sent.
        asked_s: when, in seconds since the training began.
    """

    version: int
    base: Layers
    asked_s: float = 0.0


@dataclass(frozen=True)
class BufferedUpdate:
    """An update that waits to be fused.

    Attributes:
        version, base: as of `AwaitedUpdate`.
        layers: as they came.
    """

    version: int
    base: Layers
    layers: Layers


@dataclass(frozen=True)
class AsynchronousState:
    """The state of an asynchronous training between two answers.

    Attributes:
        awaited: party -> what it was asked for; at most one thing.
        buffer: party -> its update since the last fusion.
        errors: party -> the validation error that came with its answer, since the last fusion.
        failed, refused: who failed, and whose update cannot be used, since the last fusion.
        clock_s: seconds since the training began, at the newest answer.
        fused_s: the same at each fusion.
    """

    awaited: Mapping[str, AwaitedUpdate] = field(default_factory=dict)
    buffer: Mapping[str, BufferedUpdate] = field(default_factory=dict)
    errors: Mapping[str, float] = field(default_factory=dict)
    failed: tuple[Failure, ...] = ()
    refused: tuple[Failure, ...] = ()
    clock_s: float = 0.0
    fused_s: tuple[float, ...] = ()


def rebased(update: BufferedUpdate, last: Layers, factor: float) -> Layers:
    """An update's moves, weighted and counted from the layers of now.

    A layer that the party was not sent has no base but the layers of now: it moves towards the
    party's own by the same weight.

    Args:
        last: the layers that were fused last, of the party's shapes.
        factor: weight of the moves.
    """
    return {
        layer: _rebased(tensors, update.base.get(layer, last[layer]), last[layer], factor)
        for layer, tensors in update.layers.items()
    }


def _rebased(tensors: Tensors, base: Tensors, last: Tensors, factor: float) -> Tensors:
    """last + factor * (tensors - base), within what layers may hold."""
    found = {}
    for name, values in tensors.items():
        move = values.astype(np.float64) - base[name]
        now = np.clip(last[name] + factor * move, -LARGEST, LARGEST)
        found[name] = now.astype(values.dtype)
    return found
