"""Layers whose shapes differ between parties: each is averaged among parties of one shape.

Hidden layers have one shape for all. A stem depends on the inputs, a head on the outputs;
where parties differ in step, window or fields, such a layer exists once per group of parties,
and is averaged within its group alone. A grouped layer is called ``layer@group`` in a
plan's reference and in a strategy's state; parties never see that name.
"""

from collections.abc import Mapping

from deepcity.city.level import Layers
from deepcity.exchange.strategies import Strategy, StrategyState

Groups = Mapping[str, Mapping[str, str]]
"""Layer -> party -> group; a layer that is left out has one shape for all."""


def group_key(layer: str, group: str) -> str:
    """Name of a grouped layer in a reference or state that holds all groups.

    >>> group_key("head", "2")
    'head@2'
    """
    return f"{layer}@{group}"


def layers_of_party(layers: Layers, groups: Groups, party: str) -> Layers:
    """The layers of one party's groups, under their plain names."""
    found = {}
    for name, tensors in layers.items():
        layer, _, group = name.partition("@")
        if not group or groups.get(layer, {}).get(party) == group:
            found[layer] = tensors
    return found


def aggregate_groups(
    strategy: Strategy,
    state: StrategyState,
    updates: Mapping[str, Layers],
    weights: Mapping[str, float],
    levels: Mapping[str, int],
    groups: Groups,
) -> tuple[StrategyState, dict[str, Layers]]:
    """One round's updates aggregated by a strategy, grouped layers within their groups.

    Raises:
        ValueError, KeyError: as `fuse`.
    """
    plain = {
        party: {layer: part for layer, part in layers.items() if layer not in groups}
        for party, layers in updates.items()
    }
    state, outgoing = strategy.aggregate(state, plain, weights, levels)
    for layer, group_by_party in groups.items():
        for group in sorted(set(group_by_party.values())):
            name = group_key(layer, group)
            members = [party for party in levels if group_by_party.get(party) == group]
            sent = {
                party: {layer: updates[party][layer]}
                for party in members
                if layer in updates.get(party, {})
            }
            if not sent:
                continue
            before = StrategyState({layer: state.layers[name]}, state.numbers)
            own = {party: levels[party] for party in members}
            new_state, received = strategy.aggregate(before, sent, weights, own)
            state = StrategyState({**state.layers, name: new_state.layers[layer]}, state.numbers)
            for party, layers in received.items():
                outgoing[party] = {**outgoing[party], **layers}
    return state, outgoing
