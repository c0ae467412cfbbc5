"""Layers whose shapes differ between parties: each is fused among those it fits.

Hidden layers have one shape for all. A stem depends on what goes in, a head on what comes
out; where parties differ in step, window or fields, such a layer is one of several, and
each is fused among its own group alone. A grouped layer is called ``layer@group`` in a
plan's reference and in a strategy's state; parties never see that name.
"""

from collections.abc import Mapping

from deepcity.city.level import Layers
from deepcity.exchange.strategies import State, Strategy

Groups = Mapping[str, Mapping[str, str]]
"""Layer -> party -> group; a layer that is left out fits everybody."""


def key(layer: str, group: str) -> str:
    """What a grouped layer is called where all groups stand side by side.

    >>> key("head", "2")
    'head@2'
    """
    return f"{layer}@{group}"


def of_party(layers: Layers, groups: Groups, party: str) -> Layers:
    """From layers of all groups those of one party, under their plain names."""
    found = {}
    for name, tensors in layers.items():
        layer, _, group = name.partition("@")
        if not group or groups.get(layer, {}).get(party) == group:
            found[layer] = tensors
    return found


def merge(
    strategy: Strategy,
    state: State,
    updates: Mapping[str, Layers],
    weights: Mapping[str, float],
    levels: Mapping[str, int],
    groups: Groups,
) -> tuple[State, dict[str, Layers]]:
    """One round's updates merged by a strategy, grouped layers among their groups alone.

    Raises:
        ValueError, KeyError: as `fuse`.
    """
    plain = {
        party: {layer: part for layer, part in layers.items() if layer not in groups}
        for party, layers in updates.items()
    }
    state, outgoing = strategy.merge(state, plain, weights, levels)
    for layer, group_by_party in groups.items():
        for group in sorted(set(group_by_party.values())):
            name = key(layer, group)
            members = [party for party in levels if group_by_party.get(party) == group]
            sent = {
                party: {layer: updates[party][layer]}
                for party in members
                if layer in updates.get(party, {})
            }
            if not sent:
                continue
            before = State({layer: state.layers[name]}, state.numbers)
            own = {party: levels[party] for party in members}
            after, received = strategy.merge(before, sent, weights, own)
            state = State({**state.layers, name: after.layers[layer]}, state.numbers)
            for party, layers in received.items():
                outgoing[party] = {**outgoing[party], **layers}
    return state, outgoing
