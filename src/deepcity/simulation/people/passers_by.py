"""A day of passers-by: where they live, where they go, by foot, bus or car.

Everybody leaves home at least once, goes to one place or two, and comes home. Places draw people by
a weight of their own and by nearness (a gravity model; Wilson 1971, "A family of spatial
interaction models", Environment and Planning A 3). Departures follow a day with peaks in the
morning, at noon and in the evening. Short trips are walked; of longer ones about half go by bus
where one is not much slower than walking, the rest by car.

Shapes: Q persons, T trips, N crossings.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Bools, Doubles, Ints
from deepcity.simulation.people.passes import (
    NodePasses,
    Trips,
    drive,
    joined_passes,
    ride,
    walk,
)
from deepcity.simulation.streets.bus_lines import BusLine, best_bus
from deepcity.simulation.streets.routes import TASTES, Routes
from deepcity.simulation.streets.street_map import StreetMap

WALK_MPS = 1.3
_WALK_SPREAD = 0.15
_NEAR_M, _FOOT_M = 900.0, 1300.0
_BETWEEN_SHARE, _TWO_PLACES_SHARE, _BUS_SHARE = 0.1, 0.3, 0.55
_CHILD_SHARE = 0.08
_PEAKS_H = ((8.2, 0.9, 0.35), (12.4, 1.2, 0.25), (15.5, 2.0, 0.25), (18.3, 1.3, 0.15))
"""Hour, spread in hours and share of the first departures."""
_STAY_S, _STAY_SPREAD = 5400.0, 0.9


@dataclass(frozen=True, eq=False)
class PassersBy:
    """Everybody who is out on a day.

    Attributes:
        height_m_Q: metres.
        passes: of all of them.
        trips_by_mode: number of trips on foot, by bus and by car.
    """

    height_m_Q: Doubles
    passes: NodePasses
    trips_by_mode: tuple[int, int, int]


def send_out(
    persons: int,
    streets: StreetMap,
    routes: Routes,
    lines: Sequence[BusLine],
    rng: np.random.Generator,
) -> PassersBy:
    """All trips of a day and the crossings they pass."""
    weight_N = rng.gamma(0.7, 1.0, len(streets.place_N2)) + 0.05
    near_NN = np.exp(-routes.metres_NN / _NEAR_M) * weight_N
    np.fill_diagonal(near_NN, 0.0)
    same_NN = streets.city_N[:, None] == streets.city_N[None]
    cumulated = [_cumulated(near_NN * same_NN), _cumulated(weight_N * ~same_NN)]
    home_Q = rng.integers(0, len(streets.place_N2), persons)
    between_Q = rng.random(persons) < _BETWEEN_SHARE
    first_Q = np.where(
        between_Q, _choose(cumulated[1], home_Q, rng), _choose(cumulated[0], home_Q, rng)
    )
    second_Q = _choose(cumulated[0], first_Q, rng)
    two_Q = rng.random(persons) < _TWO_PLACES_SHARE
    mps_Q = WALK_MPS * rng.lognormal(0.0, _WALK_SPREAD, persons)
    everyone = np.arange(persons)
    legs = [
        (everyone, home_Q, first_Q),
        (everyone[two_Q], first_Q[two_Q], second_Q[two_Q]),
        (everyone, np.where(two_Q, second_Q, first_Q), home_Q),
    ]
    ready_s_Q = _departures(persons, rng)
    parts, counted = [], np.zeros(3, np.int64)
    for person_T, from_T, to_T in legs:
        taste_T = rng.integers(0, TASTES, len(person_T))
        trips = Trips(person_T, from_T, to_T, ready_s_Q[person_T], taste_T, mps_Q[person_T])
        passes, arrive_s_T, modes = _go(streets, routes, lines, trips, rng)
        stay_s_T = _STAY_S * rng.lognormal(0.0, _STAY_SPREAD, len(person_T))
        ready_s_Q[person_T] = arrive_s_T + stay_s_T
        parts.append(passes)
        counted += modes
    return PassersBy(
        _heights(persons, rng),
        joined_passes(parts),
        (int(counted[0]), int(counted[1]), int(counted[2])),
    )


def _go(
    streets: StreetMap,
    routes: Routes,
    lines: Sequence[BusLine],
    trips: Trips,
    rng: np.random.Generator,
) -> tuple[NodePasses, Doubles, Ints]:
    """Passes, times of arrival, and how many went on foot, by bus and by car."""
    bus = best_bus(lines, trips.from_T, trips.to_T, WALK_MPS)
    metres_T = routes.metres_NN[trips.from_T, trips.to_T]
    foot_T = rng.random(len(metres_T)) < np.exp(-((metres_T / _FOOT_M) ** 2))
    useful_T = (bus.line_T >= 0) & (bus.seconds_T < 1.2 * metres_T / WALK_MPS)
    bus_T = ~foot_T & useful_T & (rng.random(len(metres_T)) < _BUS_SHARE)
    rows = [np.flatnonzero(mode_T) for mode_T in (foot_T, bus_T, ~foot_T & ~bus_T)]
    found = [
        walk(routes, trips.of(rows[0])),
        ride(routes, lines, trips.of(rows[1]), bus.of(rows[1])),
        drive(routes, trips.of(rows[2]), streets.city_N),
    ]
    arrive_s_T = np.zeros(len(metres_T))
    for own, (_, arrive_s) in zip(rows, found, strict=True):
        arrive_s_T[own] = arrive_s
    counted = np.array([len(own) for own in rows])
    return joined_passes([passes for passes, _ in found]), arrive_s_T, counted


def _departures(persons: int, rng: np.random.Generator) -> Doubles:
    """Seconds after midnight at which each leaves home first."""
    share = np.array([one[2] for one in _PEAKS_H])
    peak = rng.choice(len(_PEAKS_H), persons, p=share / share.sum())
    hour, spread = (np.array([one[part] for one in _PEAKS_H])[peak] for part in (0, 1))
    return np.asarray(3600.0 * np.clip(rng.normal(hour, spread), 5.0, 22.0))


def _heights(persons: int, rng: np.random.Generator) -> Doubles:
    adult_Q = np.clip(rng.normal(1.68, 0.09, persons), 1.4, 2.05)
    child_Q: Bools = rng.random(persons) < _CHILD_SHARE
    return np.where(child_Q, rng.uniform(1.0, 1.55, persons), adult_Q)


def _cumulated(weight_NN: Doubles) -> Doubles:
    """Rows of cumulated shares, each row one higher than the one before."""
    cumulated_NN = np.cumsum(weight_NN / weight_NN.sum(axis=1, keepdims=True), axis=1)
    cumulated_NN[:, -1] = 1.0
    return np.asarray(cumulated_NN + np.arange(len(weight_NN))[:, None])


def _choose(cumulated_NN: Doubles, from_T: Ints, rng: np.random.Generator) -> Ints:
    """A crossing each, by the row of where it starts."""
    size = cumulated_NN.shape[1]
    found = np.searchsorted(cumulated_NN.ravel(), from_T + rng.random(len(from_T)), side="right")
    return np.asarray(np.clip(found - from_T * size, 0, size - 1))
