"""Which layers of a round are one sum: those with the same members."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deepcity.city.level import Layers
from deepcity.exchange.shape_groups import Groups, group_key

_DRAWN = "#"


@dataclass(frozen=True)
class SumGroup:
    """Layers with the same members.

    Attributes:
        layers: plain name -> tensors of the right names, shapes and dtypes.
        members: parties that share them, sorted.
    """

    name: str
    layers: Layers
    members: tuple[str, ...]


def sum_groups(
    common: Mapping[str, Sequence[str]], groups: Groups, reference: Layers
) -> list[SumGroup]:
    """The groups of layers with the same members.

    Args:
        common: party -> plain names of the layers it sends.
        groups, reference: as in a plan.
    """
    members: dict[str, list[str]] = {}
    for party in sorted(common):
        for layer in common[party]:
            own = groups.get(layer, {}).get(party)
            members.setdefault(group_key(layer, own) if own else layer, []).append(party)
    layers: dict[tuple[str, ...], list[str]] = {}
    for layer, parties in members.items():
        layers.setdefault(tuple(parties), []).append(layer)
    return [
        SumGroup("+".join(names), {one.partition("@")[0]: reference[one] for one in names}, parties)
        for parties, names in layers.items()
    ]


def drawn_name(group: str, number: int) -> str:
    """Name of a part of a group, counted from 1.

    >>> drawn_name("h1+h2", 3)
    'h1+h2#3'
    """
    return f"{group}{_DRAWN}{number}"


def whole_name(group: str) -> str:
    """Name of the group that a part is of.

    >>> whole_name("h1+h2#3"), whole_name("h1+h2")
    ('h1+h2', 'h1+h2')
    """
    return group.partition(_DRAWN)[0]


def group_layers(group: str) -> tuple[str, ...]:
    """Plain names of a group's layers.

    >>> group_layers("h1+h2+head@60s.24.2"), group_layers("h1+h2#3")
    (('h1', 'h2', 'head'), ('h1', 'h2'))
    """
    return tuple(name.partition("@")[0] for name in whole_name(group).split("+"))
