"""Sums that were opened, and what a strategy makes of their means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deepcity.city.level import MAX_LEVEL, Layers
from deepcity.exchange.secure.sum_groups import SumGroup
from deepcity.exchange.shape_groups import Groups, aggregate_groups
from deepcity.exchange.strategies import Strategy, StrategyState


@dataclass(frozen=True)
class OpenedSum:
    """The mean of a sum.

    Attributes:
        layers: plain name -> the mean of those that stayed.
        weight: theirs together.
    """

    group: SumGroup
    layers: Layers
    weight: float


def fuse_sums(
    strategy: Strategy,
    state: StrategyState,
    sums: Sequence[OpenedSum],
    levels: Mapping[str, int],
    groups: Groups,
) -> tuple[StrategyState, dict[str, Layers]]:
    """A round's means aggregated by a strategy, each as if one member had sent it.

    Where a layer has one sum, its mean is the aggregate under every strategy.

    Returns:
        New state, and the layers that each party of `levels` receives.
    """
    updates = {f"sum {one.group.name}": one.layers for one in sums}
    weights = {f"sum {one.group.name}": one.weight for one in sums}
    with_shapes = {
        layer: {**by_party, **_shapes(layer, by_party, sums)} for layer, by_party in groups.items()
    }
    everybody = {**levels, **dict.fromkeys(updates, MAX_LEVEL)}
    state, received = aggregate_groups(strategy, state, updates, weights, everybody, with_shapes)
    return state, {party: received[party] for party in levels}


def _shapes(layer: str, by_party: Mapping[str, str], sums: Sequence[OpenedSum]) -> dict[str, str]:
    """A layer's shape group of each sum that holds it: that of its members."""
    return {
        f"sum {one.group.name}": by_party[one.group.members[0]]
        for one in sums
        if layer in one.layers and one.group.members[0] in by_party
    }
