"""Which parties have compatible stems and heads: those with the same step, window and fields.

Hidden layers have one shape for all, so parties of any step and horizon share h1..h5. A
stem is shared among those whose inputs agree, a head among those whose steps and horizon
agree: 24 steps of an hour and 24 of a quarter of an hour have equal shapes, but not the
same meaning.
"""

from collections.abc import Mapping, Sequence

from deepcity.city.level import HEAD, LADDER, STEM, Layers
from deepcity.exchange.profile import SiteProfile
from deepcity.exchange.shape_groups import Groups, group_key


def shape_groups_of(profiles: Mapping[str, SiteProfile]) -> Groups:
    """Groups of stems and of heads; a layer that fits all parties is left out."""
    found = {
        STEM: {name: profile.stem_group for name, profile in profiles.items()},
        HEAD: {name: profile.head_group for name, profile in profiles.items()},
    }
    return {layer: own for layer, own in found.items() if len(set(own.values())) > 1}


def peers(layer: str, party: str, others: Sequence[str], groups: Groups) -> list[str]:
    """Those of the others with whom a party can share a layer."""
    own = groups.get(layer, {})
    return [other for other in others if other != party and own.get(other) == own.get(party)]


def deepest_shared_level(
    party: str, levels: Mapping[str, int], granted: int, groups: Groups, least: int = 1
) -> int:
    """The deepest granted level that other compatible parties reach; 0 if there is none.

    Args:
        least: others that must reach it.
    """
    for level in range(granted, 0, -1):
        reach = [name for name, own in levels.items() if own >= level]
        if len(peers(LADDER[level - 1], party, reach, groups)) >= least:
            return level
    return 0


def layers_for(party: str, layers: Layers, groups: Groups) -> Layers:
    """The shared layers that fit a party; grouped layers are those of its own group.

    Args:
        layers: as `deepcity.exchange.shape_groups` names them.
        groups: of all parties, including this one.
    """
    known = {
        name: group_key(name, groups[name][party]) if name in groups else name
        for name in (STEM, *LADDER)
    }
    return {name: layers[group_key] for name, group_key in known.items() if group_key in layers}
