"""Updates that lie far from all others: set aside, whatever the strategy.

An honest party's update lies about as far from the others as theirs do. One that is much farther
away is left out of the round with the evidence, as one that cannot be averaged is
(`deepcity.exchange.trust.refusals`). The measure is the distance from the coordinate median, the
unit is the members' median distance (both withstand members that lie, while they are under half).
All layers of a party are one measure: heads of honest parties of unlike services were found four
usual distances away where all their layers together were under two. But layers that a party began
with by itself, as all do with the head of the first round, are measured apart: they have no common
origin, and differ more. Where updates are fused as they come, one that is t fusions old may lie
1 + t times as far: it began when networks moved more.

An update that does harm within the usual distance is not seen. Nor is any under secure sums, where
the coordinator sees no single one.

Shapes: P members of a layer, V its values.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles
from deepcity.city.level import Layers
from deepcity.exchange.exchange import Failure
from deepcity.exchange.layer_vectors import flat
from deepcity.exchange.shape_groups import Groups, group_key
from deepcity.exchange.trust.robust import coordinate_median

FARTHEST = 4.0
"""Usual distances beyond which an update is set aside, where a map does not say."""
LEAST_MEMBERS = 4
"""That share layers; of fewer nobody can tell who is far from whom."""
OWN_BEGINNING = 2.0
"""Times as far as that may layers lie which each party began with by itself."""
_ROUNDED = 2.0**-11
"""What half precision rounds off of a value: updates that differ by less are alike."""
_LEAST = 1e-30  # of a distance, where all is zero


@dataclass(frozen=True)
class Distance:
    """How far a party's layers lie from the others'.

    Attributes:
        layers: those that enough parties share with it.
        own, usual: its distance from the medians, and the usual one: roots of sums over layers of
            squared distances, and of squared median distances.
        members: of the layer that most share.
    """

    layers: tuple[str, ...]
    own: float
    usual: float
    members: int

    @property
    def ratio(self) -> float:
        """In usual distances."""
        return self.own / self.usual


def without_far_updates(
    updates: Mapping[str, Layers],
    begun: Mapping[str, Layers],
    groups: Groups,
    farthest: float | None,
    ages: Mapping[str, int] | None = None,
) -> tuple[dict[str, Layers], list[Failure]]:
    """Updates that are not too far from the others, and who sent another.

    Args:
        updates: party -> layers that can be averaged.
        begun: party -> the layers that it was sent, and trained on from.
        groups: parties that share a layer which differs in shape between parties.
        farthest: usual distances beyond which an update is left out; None: none is.
        ages: party -> fusions since it was sent its layers.
    """
    if farthest is None:
        return dict(updates), []
    far: dict[str, str] = {}
    for sent, usual in ((True, farthest), (False, OWN_BEGINNING * farthest)):
        for party, one in distances(updates, begun, groups, sent=sent).items():
            limit = usual * (1 + (ages or {}).get(party, 0))
            if one.ratio > limit:
                far.setdefault(party, _reason(one, limit))
    near = {party: layers for party, layers in updates.items() if party not in far}
    return near, [Failure(party, far[party]) for party in sorted(far)]


def distances(
    updates: Mapping[str, Layers], begun: Mapping[str, Layers], groups: Groups, *, sent: bool
) -> dict[str, Distance]:
    """How far each party's layers lie from the others'; layers of few members are not measured.

    Args:
        sent: whether of the layers that parties were sent, or of those that they began with by
            themselves.
    """
    found: dict[str, Distance] = {}
    measured = {
        party: {
            name: layer for name, layer in layers.items() if (name in begun.get(party, {})) == sent
        }
        for party, layers in updates.items()
    }
    for name, parties in _members(measured, groups).items():
        if len(parties) < LEAST_MEMBERS:
            continue
        layer = name.partition("@")[0]
        first = updates[parties[0]][layer]
        own_P, usual = _of_layer(np.stack([flat(updates[one][layer], first) for one in parties]))
        for party, own in zip(parties, own_P.tolist(), strict=True):
            before = found.get(party, Distance((), 0.0, 0.0, 0))
            found[party] = Distance(
                (*before.layers, layer),
                math.hypot(before.own, own),
                math.hypot(before.usual, usual),
                max(before.members, len(parties)),
            )
    return found


def _members(updates: Mapping[str, Layers], groups: Groups) -> dict[str, list[str]]:
    """Who sent each layer, those of another shape apart; sorted."""
    members: dict[str, list[str]] = {}
    for party in sorted(updates):
        for layer in updates[party]:
            own = groups.get(layer, {}).get(party)
            members.setdefault(group_key(layer, own) if own else layer, []).append(party)
    return {name: members[name] for name in sorted(members)}


def _of_layer(values_PV: Doubles) -> tuple[Doubles, float]:
    """Each member's distance from the median, and the usual one."""
    median_V = coordinate_median(values_PV)
    distance_P = np.linalg.norm(values_PV - median_V, axis=1)
    least = _ROUNDED * float(np.linalg.norm(median_V))
    return distance_P, max(float(np.median(distance_P)), least, _LEAST)


def _reason(far: Distance, farthest: float) -> str:
    return (
        f"its update is left out of this round: its {', '.join(far.layers)} lie {far.ratio:.3g} "
        f"times the usual distance ({far.usual:.3g}) from the median of {far.members} parties, and "
        f"{farthest:g} times is the limit"
    )
