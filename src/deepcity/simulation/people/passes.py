"""Trips to what a camera at a crossing could see of them: who passes which crossing, when.

On foot a person is seen at every crossing; by bus where they wait and get off; by car where they
get in and out. In between nobody on the street sees them.

Shapes: T trips, P passes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from deepcity.city.arrays import Doubles, Ints
from deepcity.simulation.streets.bus_lines import BusLine, BusTrips
from deepcity.simulation.streets.routes import Routes, follow

VIEW_M = 24.0
"""Of a street that a camera sees: how long a walker is in view."""
CAR_MPS, BETWEEN_CAR_MPS = 8.0, 14.0
CAR_IN_OUT_S = 20.0
_OFF_BUS_S = 10.0
_PARKING_S = 60.0


@dataclass(frozen=True, eq=False)
class NodePasses:
    """Who was at which crossing, when.

    Attributes:
        person_P: number of the person.
        node_P: crossing.
        since_s_P, until_s_P: seconds after midnight at which a camera there would see them.
    """

    person_P: Ints
    node_P: Ints
    since_s_P: Doubles
    until_s_P: Doubles


@dataclass(frozen=True, eq=False)
class Trips:
    """From crossing to crossing.

    Attributes:
        start_s_T: seconds after midnight.
        taste_T: of ways (`Routes`).
        mps_T: metres a second on foot.
    """

    person_T: Ints
    from_T: Ints
    to_T: Ints
    start_s_T: Doubles
    taste_T: Ints
    mps_T: Doubles

    def of(self, some: Ints) -> "Trips":
        """Some of the trips."""
        return Trips(*(getattr(self, one.name)[some] for one in fields(self)))


def joined_passes(parts: Sequence[NodePasses]) -> NodePasses:
    """All of them, one after the other."""
    columns = [[getattr(part, one.name) for part in parts] for one in fields(NodePasses)]
    return NodePasses(*(np.concatenate(column) for column in columns))


def walk(routes: Routes, trips: Trips) -> tuple[NodePasses, Doubles]:
    """Passes on foot, and when each trip arrives, (T,)."""
    ways = follow(routes, trips.from_T, trips.to_T, trips.taste_T)
    mps_P = trips.mps_T[ways.trip_P]
    at_s_P = trips.start_s_T[ways.trip_P] + ways.along_m_P / mps_P
    half_s_P = VIEW_M / 2 / mps_P
    person_P = trips.person_T[ways.trip_P]
    passes = NodePasses(person_P, ways.node_P, at_s_P - half_s_P, at_s_P + half_s_P)
    return passes, trips.start_s_T + ways.length_m_T / trips.mps_T


def ride(
    routes: Routes, lines: Sequence[BusLine], trips: Trips, bus: BusTrips
) -> tuple[NodePasses, Doubles]:
    """Passes of trips by bus, of which every one has a line, and when each arrives, (T,)."""
    size = len(trips.person_T)
    board_T, alight_T = np.zeros(size, np.int64), np.zeros(size, np.int64)
    for number, line in enumerate(lines):
        own_T = bus.line_T == number
        board_T[own_T] = line.stop_S[bus.board_T[own_T]]
        alight_T[own_T] = line.stop_S[bus.alight_T[own_T]]
    to_stop = Trips(
        trips.person_T, trips.from_T, board_T, trips.start_s_T, trips.taste_T, trips.mps_T
    )
    before, ready_s_T = walk(routes, to_stop)
    leaves_s_T, off_s_T = np.zeros(size), np.zeros(size)
    for number, line in enumerate(lines):
        own_T = bus.line_T == number
        stop, end = bus.board_T[own_T], bus.alight_T[own_T]
        leaves_s_T[own_T] = line.next_s(stop, ready_s_T[own_T])
        ride_s = line.after_s_S[end] - line.after_s_S[stop]
        off_s_T[own_T] = leaves_s_T[own_T] + ride_s
    waits = NodePasses(trips.person_T, board_T, ready_s_T, leaves_s_T)
    from_stop = Trips(
        trips.person_T, alight_T, trips.to_T, off_s_T + _OFF_BUS_S, trips.taste_T, trips.mps_T
    )
    after, arrive_s_T = walk(routes, from_stop)
    return joined_passes([before, waits, after]), arrive_s_T


def drive(routes: Routes, trips: Trips, city_N: Ints) -> tuple[NodePasses, Doubles]:
    """Passes of trips by car, and when each arrives, (T,)."""
    between_T = city_N[trips.from_T] != city_N[trips.to_T]
    mps_T = np.where(between_T, BETWEEN_CAR_MPS, CAR_MPS)
    ride_s_T = _PARKING_S + routes.metres_NN[trips.from_T, trips.to_T] / mps_T
    in_s_T = trips.start_s_T + CAR_IN_OUT_S
    out_s_T = in_s_T + ride_s_T
    gets_in = NodePasses(trips.person_T, trips.from_T, trips.start_s_T, in_s_T)
    gets_out = NodePasses(trips.person_T, trips.to_T, out_s_T, out_s_T + CAR_IN_OUT_S)
    return joined_passes([gets_in, gets_out]), out_s_T + CAR_IN_OUT_S
