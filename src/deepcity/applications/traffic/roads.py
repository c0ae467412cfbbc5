"""Roads between neighbouring places, from a graph of them: which are next, and how far.

A matrix of nearness (as `exp(-(length / width)²)`, by which published sets of road sensors hold
lengths) is turned back into lengths; of any other, a road is as long as the crow flies. A road
that a way over a third place replaces is left out, so that nothing jumps over a jam.

Shapes: N places, E roads.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import rustworkx as rx

from deepcity.applications.tasks.plan import haversine_m
from deepcity.city.arrays import Doubles, Floats, Ints
from deepcity.city.place import Place

_DETOUR = 1.1  # a way over a third place, this much longer at most, replaces a road
_LEAST_R = 0.1  # nearer pairs say little about the width of the kernel
_LEAST_EDGES = 20
_CLASSES = 2  # so few different weights are classes, not lengths
_TIGHT = 1.15  # of a kernel: that the longest and the long have the same width
_LEAST_M = 10.0


@dataclass(frozen=True, eq=False)
class Roads:
    """Roads from place to place, in the direction of travel.

    Attributes:
        places: N.
        tail_E, head_E: the place a road leaves and the one it reaches.
        metres_E: length.
        directed: False where the graph names no directions, so that each road goes both ways.
    """

    places: int
    tail_E: Ints
    head_E: Ints
    metres_E: Doubles
    directed: bool

    @cached_property
    def graph(self) -> "rx.PyDiGraph[int, int]":
        """The roads by their numbers."""
        graph: rx.PyDiGraph[int, int] = rx.PyDiGraph()
        graph.add_nodes_from(range(self.places))
        ends = zip(self.tail_E.tolist(), self.head_E.tolist(), strict=True)
        graph.add_edges_from([(tail, head, road) for road, (tail, head) in enumerate(ends)])
        return graph

    @cached_property
    def upstream(self) -> "rx.PyDiGraph[int, int]":
        """The roads against the direction of travel: the way a jam grows."""
        graph = self.graph.copy()
        graph.reverse()
        return graph

    def metres_from(self, place: int, *, upstream: bool = False) -> dict[int, float]:
        """Length of the shortest way to every place that is reached."""
        graph = self.upstream if upstream else self.graph
        lengths = self.metres_E.tolist()
        found = rx.dijkstra_shortest_path_lengths(graph, place, lengths.__getitem__)
        return {place: 0.0, **dict(found.items())}


def roads_of(places: tuple[Place, ...], adjacency_NN: Floats | None) -> Roads | None:
    """The roads of a graph of places; None without a graph, or where a position is unknown."""
    if adjacency_NN is None or any(one.lat is None or one.lon is None for one in places):
        return None
    weight_NN = np.where(np.eye(len(places), dtype=bool), 0.0, adjacency_NN)
    tail_E, head_E = np.nonzero(weight_NN > 0)
    if not len(tail_E):
        return None
    crow_E = np.maximum(_crow_m(places, tail_E, head_E), _LEAST_M)
    metres_NN = np.full(weight_NN.shape, np.inf)
    metres_NN[tail_E, head_E] = _lengths(weight_NN[tail_E, head_E], crow_E)
    kept_NN = np.isfinite(metres_NN)
    for place in range(len(places)):
        kept_NN[place, _replaced(metres_NN, place)] = False
    tail_E, head_E = np.nonzero(kept_NN)
    directed = not np.allclose(weight_NN, weight_NN.T)
    return Roads(len(places), tail_E, head_E, metres_NN[tail_E, head_E], directed)


def _crow_m(places: tuple[Place, ...], tail_E: Ints, head_E: Ints) -> Doubles:
    where = [(float(one.lat or 0.0), float(one.lon or 0.0)) for one in places]
    ends = zip(tail_E.tolist(), head_E.tolist(), strict=True)
    return np.array([haversine_m(where[tail], where[head]) for tail, head in ends])


def _lengths(weight_E: Doubles, crow_E: Doubles) -> Doubles:
    """Metres, never less than as the crow flies."""
    width = _kernel_width(weight_E, crow_E)
    if width is None:
        return crow_E
    return np.maximum(width * np.sqrt(-np.log(np.minimum(weight_E, 1.0))), crow_E)


def _kernel_width(weight_E: Doubles, crow_E: Doubles) -> float | None:
    """The width of the kernel that made lengths into weights; None where none did.

    No road is shorter than the crow flies, and straight ones are as long: crow / sqrt(-ln weight)
    has a sharp upper end, the width.
    """
    inside_E = (weight_E > 0) & (weight_E < np.exp(-(_LEAST_R**2)))
    if (weight_E > 1).any() or inside_E.sum() < _LEAST_EDGES:
        return None
    widths = crow_E[inside_E] / np.sqrt(-np.log(weight_E[inside_E]))
    long, longest = np.percentile(widths, (75, 95))
    differ = len(np.unique(weight_E)) > _CLASSES
    return float(longest) if differ and longest < _TIGHT * long else None


def _replaced(metres_NN: Doubles, place: int) -> Ints:
    """Heads of a place's roads that a way of two shorter roads replaces."""
    heads = np.flatnonzero(np.isfinite(metres_NN[place]))
    first_K1, last_KJ = metres_NN[place, heads][:, None], metres_NN[np.ix_(heads, heads)]
    length_J = first_K1[:, 0]
    shorter_KJ = (first_K1 < length_J) & (last_KJ < length_J)
    way_KJ = np.where(shorter_KJ, first_K1 + last_KJ, np.inf)
    found: Ints = heads[way_KJ.min(axis=0, initial=np.inf) <= _DETOUR * length_J]
    return found
