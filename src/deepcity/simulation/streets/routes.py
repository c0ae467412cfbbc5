"""Ways on the streets: shortest paths, by several tastes, since not everybody takes the same.

Dijkstra from every crossing (`scipy.sparse.csgraph`); a taste sees each street a little longer or
shorter than it is. Paths of many trips are followed together, one crossing a step.

Shapes: V tastes, N crossings, T trips, P crossings passed in all.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from deepcity.city.arrays import Doubles, Ints
from deepcity.simulation.streets.street_map import StreetMap

TASTES = 3
_TASTE_SPREAD = 0.15


@dataclass(frozen=True, eq=False)
class Routes:
    """Shortest ways between all crossings.

    Attributes:
        metres_NN: along the shortest way.
        street_m_NN: metres of the street between two crossings; 0 where there is none.
        before_VNN: by taste, start and crossing: the crossing before it on the way.
    """

    metres_NN: Doubles
    street_m_NN: Doubles
    before_VNN: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Ways:
    """The crossings of many ways, flat.

    Attributes:
        trip_P: row of the way.
        node_P: crossing.
        along_m_P: metres from the start.
        length_m_T: metres of each way in all.
    """

    trip_P: Ints
    node_P: Ints
    along_m_P: Doubles
    length_m_T: Doubles


def find_routes(streets: StreetMap, rng: np.random.Generator) -> Routes:
    """All shortest ways, by each taste."""
    size = len(streets.place_N2)
    true_NN = _graph(streets, streets.length_E)
    metres_NN = dijkstra(true_NN, directed=False)
    before = []
    for _ in range(TASTES):
        seen_E = streets.length_E * rng.lognormal(0.0, _TASTE_SPREAD, len(streets.length_E))
        graph = _graph(streets, seen_E)
        before.append(dijkstra(graph, directed=False, return_predecessors=True)[1])
    dense_NN = np.zeros((size, size))
    one_E, other_E = streets.street_E2.T
    dense_NN[one_E, other_E] = dense_NN[other_E, one_E] = streets.length_E
    return Routes(np.asarray(metres_NN), dense_NN, np.stack(before))


def follow(routes: Routes, from_T: Ints, to_T: Ints, taste_T: Ints) -> Ways:
    """The crossings of each trip, its start and its end among them; in order of trips and way."""
    trip, node = np.arange(len(from_T)), np.asarray(to_T)
    back_m = np.zeros(len(from_T))  # metres from the end, as the way is followed backwards
    length_m_T = np.zeros(len(from_T))
    found = []
    while len(trip):
        found.append((trip, node, back_m))
        done = node == from_T[trip]
        length_m_T[trip[done]] = back_m[done]
        trip, node, back_m = trip[~done], node[~done], back_m[~done]
        before = routes.before_VNN[taste_T[trip], from_T[trip], node].astype(np.int64)
        back_m = back_m + routes.street_m_NN[before, node]
        node = before
    trip_P, node_P, back_m_P = (np.concatenate(parts) for parts in zip(*found, strict=True))
    along_m_P = length_m_T[trip_P] - back_m_P
    order = np.lexsort([along_m_P, trip_P])
    return Ways(trip_P[order], node_P[order], along_m_P[order], length_m_T)


def _graph(streets: StreetMap, length_E: Doubles) -> coo_array:
    size = len(streets.place_N2)
    one_E, other_E = streets.street_E2.T
    return coo_array((length_E, (one_E, other_E)), shape=(size, size)).tocsr()
