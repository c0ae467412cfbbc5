"""Bus lines within cities and between them, and which bus a trip takes.

A line runs along the shortest way between two ends and back (the way back is a line of its own);
every few crossings is a stop. A trip takes the line that brings it there first on average: walk to
the nearest stop, half a headway, ride, walk on; nobody changes buses.

Shapes: S stops of a line, N crossings, L lines, T trips.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import combinations

import numpy as np

from deepcity.city.arrays import Bools, Doubles, Ints
from deepcity.simulation.streets.routes import Routes, follow
from deepcity.simulation.streets.street_map import CITIES, StreetMap

CITY_HEADWAY_S, BETWEEN_HEADWAY_S = 480.0, 720.0
_SPEED_MPS, _BETWEEN_SPEED_MPS, _STOP_S = 6.0, 11.0, 20.0
_CROSSINGS_A_STOP = 3
_LINES_A_CITY = 4


@dataclass(frozen=True, eq=False)
class BusLine:
    """One direction of a bus line.

    Attributes:
        stop_S: crossings, in order.
        after_s_S: seconds from the first stop.
        headway_s: seconds between two buses.
        first_s: seconds after midnight at which a bus is at the first stop; others by headway.
        walk_m_N: metres from each crossing to its nearest stop.
        nearest_N: that stop, by its place in `stop_S`.
    """

    stop_S: Ints
    after_s_S: Doubles
    headway_s: float
    first_s: float
    walk_m_N: Doubles
    nearest_N: Ints

    def next_s(self, stop_T: Ints, ready_s_T: Doubles) -> Doubles:
        """When the next bus leaves a stop."""
        offset = self.first_s + self.after_s_S[stop_T]
        buses = np.ceil((ready_s_T - offset) / self.headway_s)
        return np.asarray(offset + buses * self.headway_s)


@dataclass(frozen=True, eq=False)
class BusTrips:
    """The best line of each trip.

    Attributes:
        line_T: -1 where none goes there.
        board_T, alight_T: stops, by their place at the line.
        seconds_T: from start to end, on average; infinite where there is none.
    """

    line_T: Ints
    board_T: Ints
    alight_T: Ints
    seconds_T: Doubles

    def of(self, some: Ints) -> "BusTrips":
        """Some of the trips."""
        return BusTrips(*(getattr(self, one.name)[some] for one in fields(self)))


def lay_bus_lines(
    streets: StreetMap, routes: Routes, rng: np.random.Generator
) -> tuple[BusLine, ...]:
    """Four lines across each city and one between each two, both ways."""
    ends = []
    for city in range(len(CITIES)):
        own = np.flatnonzero(streets.city_N == city)
        far_m = np.quantile(routes.metres_NN[np.ix_(own, own)], 0.85)
        for _ in range(_LINES_A_CITY):
            start = int(rng.choice(own))
            far = own[
                routes.metres_NN[start, own] >= min(far_m, routes.metres_NN[start, own].max())
            ]
            ends.append((start, int(rng.choice(far))))
    middles = [_middle(streets, city) for city in range(len(CITIES))]
    ends += list(combinations(middles, 2))
    both_ways = [pair for start, end in ends for pair in ((start, end), (end, start))]
    return tuple(_line(streets, routes, start, end, rng) for start, end in both_ways)


def best_bus(lines: Sequence[BusLine], from_T: Ints, to_T: Ints, walk_mps: float) -> BusTrips:
    """Which line brings each trip there first."""
    line_T, on_T, off_T = (np.full(len(from_T), -1) for _ in range(3))
    best = BusTrips(line_T, on_T, off_T, np.full(len(from_T), np.inf))
    for number, line in enumerate(lines):
        board_T, alight_T = line.nearest_N[from_T], line.nearest_N[to_T]
        ride_s_T = line.after_s_S[alight_T] - line.after_s_S[board_T]
        walk_s_T = (line.walk_m_N[from_T] + line.walk_m_N[to_T]) / walk_mps
        seconds_T = np.where(ride_s_T > 0, walk_s_T + line.headway_s / 2 + ride_s_T, np.inf)
        better_T = seconds_T < best.seconds_T
        best.line_T[better_T] = number
        best.board_T[better_T] = board_T[better_T]
        best.alight_T[better_T] = alight_T[better_T]
        best.seconds_T[better_T] = seconds_T[better_T]
    return best


def _middle(streets: StreetMap, city: int) -> int:
    own = np.flatnonzero(streets.city_N == city)
    centre_2 = streets.place_N2[own].mean(axis=0)
    return int(own[np.linalg.norm(streets.place_N2[own] - centre_2, axis=1).argmin()])


def _line(
    streets: StreetMap, routes: Routes, start: int, end: int, rng: np.random.Generator
) -> BusLine:
    way = follow(routes, np.array([start]), np.array([end]), np.zeros(1, np.int64))
    between = streets.city_N[start] != streets.city_N[end]
    is_stop = _is_stop(streets, way.node_P)
    speed = _BETWEEN_SPEED_MPS if between else _SPEED_MPS
    stop_S = way.node_P[is_stop]
    after_s_S = way.along_m_P[is_stop] / speed + _STOP_S * np.arange(len(stop_S))
    headway_s = BETWEEN_HEADWAY_S if between else CITY_HEADWAY_S
    walk_m_NS = routes.metres_NN[:, stop_S]
    return BusLine(
        stop_S,
        after_s_S,
        headway_s,
        float(rng.uniform(0, headway_s)),
        np.asarray(walk_m_NS.min(axis=1)),
        np.asarray(walk_m_NS.argmin(axis=1)),
    )


def _is_stop(streets: StreetMap, node_P: Ints) -> Bools:
    """Every few crossings, both ends, and where a road leaves a city."""
    number = np.arange(len(node_P))
    city_P = streets.city_N[node_P]
    leaves_P = np.append(city_P[1:] != city_P[:-1], False)
    arrives_P = np.insert(city_P[1:] != city_P[:-1], 0, False)
    ends_P = (number == 0) | (number == len(node_P) - 1)
    return np.asarray((number % _CROSSINGS_A_STOP == 0) | ends_P | leaves_P | arrives_P)
