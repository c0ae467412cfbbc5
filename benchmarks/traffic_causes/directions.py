"""Directions of travel for a road graph that has none, where people drive on the right.

The published graph of the Los Angeles loops joins places both ways, so that a way may use the
opposite carriageway. Here each straight road gets the direction for which the loops of the
opposite carriageway (near as the crow flies, far by road) lie on the left; straight roads in a
row go the same way, by the majority of them. Ramps and crossings stay open both ways.

Shapes: N places, E roads.
"""

import numpy as np
import rustworkx as rx

from deepcity.applications.traffic.roads import Roads
from deepcity.city.arrays import Doubles, Floats
from deepcity.city.place import Place

_STRAIGHT = 1.15  # longest road, over the crow's flight, that counts as straight
_SIDE_M = (3.0, 80.0)  # how far to the side the opposite carriageway lies
_ALONG_M, _AROUND_M = 400.0, 600.0
_IN_LINE = 0.7  # least cosine of the turn between two roads in a row
_M_PER_DEG = 111_320.0

Pair = tuple[int, int]


def directed(places: tuple[Place, ...], roads: Roads) -> Roads:
    """The roads without those against the direction of travel."""
    where_N2 = _metres(places)
    metres = {
        (int(tail), int(head)): float(far)
        for tail, head, far in zip(roads.tail_E, roads.head_E, roads.metres_E, strict=True)
    }
    straight = [
        pair
        for pair, far in metres.items()
        if pair[0] < pair[1] and far < _STRAIGHT * _crow(where_N2, *pair)
    ]
    road_NN = _by_road(roads)
    wrong = set()
    for row in _rows(straight, where_N2):
        votes = sum(sign * _left_side(where_N2, road_NN, pair) for pair, sign in row.items())
        for (one, other), sign in row.items():
            if votes * sign > 0:
                wrong.add((other, one))
            elif votes * sign < 0:
                wrong.add((one, other))
    kept = [pair for pair in metres if pair not in wrong]
    tail_E, head_E = np.array(kept).T
    return Roads(len(places), tail_E, head_E, np.array([metres[p] for p in kept]), directed=True)


def adjacency_of(roads: Roads, width_m: float) -> Floats:
    """The roads as a matrix of nearness, as published: exp(-(length / width)²)."""
    found_NN = np.zeros((roads.places, roads.places), np.float32)
    found_NN[roads.tail_E, roads.head_E] = np.exp(-((roads.metres_E / width_m) ** 2))
    return found_NN


def _metres(places: tuple[Place, ...]) -> Doubles:
    lat_N, lon_N = np.array([(one.lat, one.lon) for one in places], float).T
    east_N = (lon_N - lon_N.mean()) * np.cos(np.radians(lat_N.mean()))
    return np.stack([east_N, lat_N - lat_N.mean()], axis=1) * _M_PER_DEG


def _crow(where_N2: Doubles, one: int, other: int) -> float:
    return float(np.linalg.norm(where_N2[one] - where_N2[other]))


def _rows(straight: list[Pair], where_N2: Doubles) -> list[dict[Pair, int]]:
    """Straight roads in a row: each with 1, or -1 where it is written against the first."""
    graph: rx.PyGraph[Pair, int] = rx.PyGraph()
    graph.add_nodes_from(straight)
    for first, pair in enumerate(straight):
        for second in range(first + 1, len(straight)):
            same = _in_line(pair, straight[second], where_N2)
            if same:
                graph.add_edge(first, second, same)
    found = []
    for members in rx.connected_components(graph):
        start = min(members)
        signs, todo = {start: 1}, [start]
        while todo:
            now = todo.pop()
            for then, same in graph.adj(now).items():
                if then not in signs:
                    signs[then] = signs[now] * same
                    todo.append(then)
        found.append({straight[number]: sign for number, sign in signs.items()})
    return found


def _in_line(pair: Pair, other: Pair, where_N2: Doubles) -> int:
    """1 or -1 where two roads follow each other: written the same way, or not; else 0."""
    shared = set(pair) & set(other)
    if len(shared) != 1:
        return 0
    middle = shared.pop()
    before, after = sum(pair) - middle, sum(other) - middle
    come_2, go_2 = where_N2[middle] - where_N2[before], where_N2[after] - where_N2[middle]
    cosine = come_2 @ go_2 / (np.linalg.norm(come_2) * np.linalg.norm(go_2))
    if cosine < _IN_LINE:
        return 0
    return 1 if (pair == (before, middle)) == (other == (middle, after)) else -1


def _left_side(where_N2: Doubles, road_NN: Doubles, pair: Pair) -> int:
    """Loops of the opposite carriageway on the left, less those on the right."""
    one, other = pair
    along_2 = (where_N2[other] - where_N2[one]) / _crow(where_N2, one, other)
    left_2 = np.array([-along_2[1], along_2[0]])
    votes = 0
    for end in pair:
        for loop in range(len(where_N2)):
            off_2 = where_N2[loop] - where_N2[end]
            far, side = float(np.linalg.norm(off_2)), float(off_2 @ left_2)
            if loop in pair or far >= _ALONG_M or not _SIDE_M[0] < abs(side) < _SIDE_M[1]:
                continue
            votes += int(np.sign(side)) * (road_NN[end, loop] > _AROUND_M + far)
    return votes


def _by_road(roads: Roads) -> Doubles:
    """Metres by road, infinite where there is no way."""
    found_NN = np.full((roads.places, roads.places), np.inf)
    for place in range(roads.places):
        for other, metres in roads.metres_from(place).items():
            found_NN[place, other] = metres
    return found_NN
