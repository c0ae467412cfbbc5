"""Three cities of crooked grids, and roads between them.

A city is a square grid of crossings, each moved a little, of which some streets are missing; cities
stand at the corners of a triangle with open land between, crossed by two roads a pair of cities.

Shapes: N crossings, E streets.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree

from deepcity.city.arrays import Bools, Doubles, Ints

CITIES = ("north", "middle", "south")
_CORNERS_32 = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 0.9]])
_ROADS_A_PAIR = 2
_ROADS_APART_M = 600.0


@dataclass(frozen=True)
class StreetPlan:
    """How cities are laid out.

    Attributes:
        crossings: along one side of a city.
        block_m: metres between neighbouring crossings.
        jitter_m: standard deviation by which a crossing is moved, metres.
        missing: share of streets that are not there; no crossing is ever cut off.
        between_m: metres of open land between two cities.

    Raises:
        ValueError: if a city would have fewer than 4 crossings, or a share or length is none.
    """

    crossings: int = 18
    block_m: float = 115.0
    jitter_m: float = 15.0
    missing: float = 0.1
    between_m: float = 1200.0

    def __post_init__(self) -> None:
        if self.crossings < 2:
            raise ValueError(f"{self.crossings} crossings along a side; give 2 or more")
        if not 0 <= self.missing < 1:
            raise ValueError(f"a share of {self.missing} streets missing; give 0 to under 1")
        if not (self.block_m > 0 and self.jitter_m >= 0 and self.between_m > 0):
            raise ValueError("lengths of streets and open land must be positive")


@dataclass(frozen=True, eq=False)
class StreetMap:
    """Crossings and the streets between them.

    Attributes:
        place_N2: metres east and north.
        city_N: 0, 1 or 2.
        street_E2: crossings at both ends; each street once.
        length_E: metres.
    """

    place_N2: Doubles
    city_N: Ints
    street_E2: Ints
    length_E: Doubles

    @property
    def is_border_E(self) -> Bools:
        """(E,) whether a street joins two cities."""
        return np.asarray(self.city_N[self.street_E2[:, 0]] != self.city_N[self.street_E2[:, 1]])

    def metres_between(self, one: Ints, other: Ints) -> Doubles:
        """As the crow flies, between crossings."""
        apart = self.place_N2[one] - self.place_N2[other]
        return np.asarray(np.linalg.norm(apart, axis=-1))


def lay_streets(plan: StreetPlan, rng: np.random.Generator) -> StreetMap:
    """Three cities and the roads between them."""
    side = plan.crossings
    corner_32 = _CORNERS_32 * ((side - 1) * plan.block_m + plan.between_m)
    row, column = np.divmod(np.arange(side * side), side)
    grid_2 = np.stack([column, row], axis=1) * plan.block_m
    place_N2 = np.concatenate([corner + grid_2 for corner in corner_32])
    place_N2 = place_N2 + rng.normal(0.0, plan.jitter_m, place_N2.shape)
    city_N = np.repeat(np.arange(len(CITIES)), side * side)
    inner = [
        _kept_streets(place_N2, _grid_streets(side) + city * side * side, plan.missing, rng)
        for city in range(len(CITIES))
    ]
    roads = [_roads(place_N2, city_N, pair) for pair in combinations(range(len(CITIES)), 2)]
    street_E2 = np.concatenate([*inner, *roads])
    return StreetMap(place_N2, city_N, street_E2, _lengths(place_N2, street_E2))


def _grid_streets(side: int) -> Ints:
    number = np.arange(side * side).reshape(side, side)
    east = np.stack([number[:, :-1].ravel(), number[:, 1:].ravel()], axis=1)
    north = np.stack([number[:-1].ravel(), number[1:].ravel()], axis=1)
    return np.concatenate([east, north])


def _kept_streets(
    place_N2: Doubles, street_E2: Ints, missing: float, rng: np.random.Generator
) -> Ints:
    """All but a share of the streets; those of a spanning tree of random lengths stay."""
    size = len(place_N2)
    weight_E = rng.uniform(1.0, 2.0, len(street_E2))
    graph = coo_array((weight_E, (street_E2[:, 0], street_E2[:, 1])), shape=(size, size))
    tree = minimum_spanning_tree(graph.tocsr()).tocoo()
    needed = set(zip(tree.row.tolist(), tree.col.tolist(), strict=True))
    needed_E = np.array([(int(a), int(b)) in needed for a, b in street_E2])
    spare = rng.permutation(np.flatnonzero(~needed_E))
    left_out = spare[: round(missing * len(street_E2))]
    return np.delete(street_E2, left_out, axis=0)


def _roads(place_N2: Doubles, city_N: Ints, pair: tuple[int, int]) -> Ints:
    """The shortest roads between two cities of which no two begin near each other."""
    one, other = (np.flatnonzero(city_N == city) for city in pair)
    apart = np.linalg.norm(place_N2[one][:, None] - place_N2[other][None], axis=2)
    found: list[tuple[int, int]] = []
    for flat in np.argsort(apart, axis=None):
        left, right = one[flat // len(other)], other[flat % len(other)]
        near = [np.linalg.norm(place_N2[left] - place_N2[end]) < _ROADS_APART_M for end, _ in found]
        if not any(near):
            found.append((int(left), int(right)))
        if len(found) == _ROADS_A_PAIR:
            break
    return np.array(found, np.int64)


def _lengths(place_N2: Doubles, street_E2: Ints) -> Doubles:
    return np.asarray(np.linalg.norm(place_N2[street_E2[:, 0]] - place_N2[street_E2[:, 1]], axis=1))
