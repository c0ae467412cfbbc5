"""Where a jam began and spread from.

A jam grows against the direction of travel at some 8 to 35 km/h. The place it spread from is the
one from which one such speed explains best when every other place of the jam slowed.

Shapes: K places of a jam, W speeds of growth.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import rustworkx as rx

from deepcity.applications.traffic.jams import Speeds
from deepcity.applications.traffic.roads import Roads
from deepcity.city.arrays import Doubles

WAVE_KMH = (8.0, 12.0, 16.0, 20.0, 25.0, 35.0)
"""Speeds at which a jam may grow."""
_FAR_M = 8000.0  # places of a jam further away say nothing about this one
_NEAR_M = 2000.0  # at this distance a place counts half
_MOST_OFF = 15.0  # minutes: a place that slowed for another reason is off by no more
_TEMPERATURE = 1.0  # minutes: an explanation so much worse is exp(-1) times as likely


@dataclass(frozen=True)
class Origin:
    """A place that a jam may have spread from.

    Attributes:
        likelihood: among the candidates, 0 to 1.
        lead_minutes: how long before the place asked about it slowed.
        metres: the way the jam grew from there.
        wave_kmh: the speed of growth that explains best.
    """

    place: int
    likelihood: float
    lead_minutes: float
    metres: float
    wave_kmh: float


def origins(speeds: Speeds, roads: Roads, jam: Sequence[int], place: int) -> list[Origin]:
    """Where a jam may have spread from, as seen from one of its places; the likeliest first.

    Args:
        jam: its places.
        place: one of them; it is among the candidates, as the jam may begin there.
    """
    minutes = {one: speeds.onset(one) * speeds.step_s / 60 for one in jam}
    back = _within(roads, jam, place, upstream=False)
    near = [one for one in jam if back.get(one, np.inf) <= _FAR_M and np.isfinite(minutes[one])]
    found = []
    for one in near:
        reached = _within(roads, jam, one, upstream=True)
        others = [other for other in near if other in reached]
        way_K = np.array([reached[other] for other in others])
        late_K = np.array([minutes[other] - minutes[one] for other in others])
        weight_K = 1 / (1 + (way_K + np.array([back[other] for other in others])) / _NEAR_M)
        lost = sum(1 / (1 + back[other] / _NEAR_M) for other in near if other not in reached)
        off_W = [_off(way_K, late_K, weight_K, lost, kmh_) for kmh_ in WAVE_KMH]
        best = int(np.argmin(off_W))
        lead = minutes[place] - minutes[one]
        found.append((off_W[best], one, lead, back[one], WAVE_KMH[best]))
    least = min((one[0] for one in found), default=0.0)
    odds = [float(np.exp((least - one[0]) / _TEMPERATURE)) for one in found]
    ranked = [
        Origin(one, chance / sum(odds), lead, metres, wave)
        for chance, (_, one, lead, metres, wave) in zip(odds, found, strict=True)
    ]
    return sorted(ranked, key=lambda one: (-one.likelihood, one.place))


def _within(roads: Roads, jam: Sequence[int], place: int, *, upstream: bool) -> dict[int, float]:
    """Metres from a place to others over places of the jam alone."""
    members = sorted(jam)
    graph = (roads.upstream if upstream else roads.graph).subgraph(members)
    lengths = roads.metres_E.tolist()
    start = members.index(place)
    found = rx.dijkstra_shortest_path_lengths(graph, start, lengths.__getitem__)
    return {place: 0.0, **{members[node]: metres for node, metres in found.items()}}


def _off(way_K: Doubles, late_K: Doubles, weight_K: Doubles, lost: float, wave_kmh: float) -> float:
    """Minutes by which places slowed earlier or later than a wave of this speed; weighted mean.

    Args:
        lost: weight of places that it cannot have reached.
    """
    off_K = np.minimum(np.abs(late_K - way_K * 0.06 / wave_kmh), _MOST_OFF)
    return float((weight_K @ off_K + lost * _MOST_OFF) / (weight_K.sum() + lost))
