"""Children who get lost: on foot, by a bus they got on, or in somebody's car.

A lost child walks slowly from one near place to another and stops at each for some minutes. By bus
it rides some stops on a line near where it was lost, between cities for a case that crosses; by car
it is set down elsewhere. Parents look for it themselves before they report it.

Shapes: K times of the child's path, P passes, N crossings.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles, Indices, Ints
from deepcity.simulation.people.passes import (
    NodePasses,
    Trips,
    drive,
    joined_passes,
    ride,
    walk,
)
from deepcity.simulation.streets.bus_lines import BusLine, BusTrips
from deepcity.simulation.streets.routes import TASTES, Routes
from deepcity.simulation.streets.street_map import StreetMap

FOOT, BUS, CAR = "foot", "bus", "car"
KINDS = (FOOT, BUS, CAR)
CHILD_MPS = 0.9
_NEAR_M = 500.0
_STOP_S, _STOP_SPREAD = 180.0, 0.8
_BORDER_M, _BUS_STOP_M = 500.0, 400.0
_REPORT_S = (1200.0, 3600.0)
_LOST_H = (10.0, 18.0)
_LONG_ENOUGH_S = 3600.0
"""That a child stays out after the report, if nobody finds it."""


@dataclass(frozen=True, eq=False)
class LostChild:
    """One case.

    Attributes:
        kind: how it got away.
        crossed: whether it is in another city than where it was lost when it is reported.
        lost_node, lost_s: crossing and seconds after midnight of being seen last by its parents.
        report_s: seconds after midnight.
        height_m: metres.
        passes: crossings at which a camera could see it.
        time_s_K, place_K2: where it is in truth; straight between.
    """

    kind: str
    crossed: bool
    lost_node: int
    lost_s: float
    report_s: float
    height_m: float
    passes: NodePasses
    time_s_K: Doubles
    place_K2: Doubles

    def place_at(self, time_s: float) -> Doubles:
        """Metres east and north, in truth."""
        return np.array(
            [np.interp(time_s, self.time_s_K, self.place_K2[:, axis]) for axis in (0, 1)]
        )


@dataclass(frozen=True, eq=False)
class ChildWorld:
    """Where children get lost."""

    streets: StreetMap
    routes: Routes
    lines: Sequence[BusLine]

    def lose(self, person: int, kind: str, rng: np.random.Generator, *, cross: bool) -> LostChild:
        """One child, by its number as a person; whether it crosses a border is tried for.

        Raises:
            ValueError: if the kind is none of `KINDS`.
        """
        if kind not in KINDS:
            raise ValueError(f"a child lost by {kind!r}; give one of {', '.join(KINDS)}")
        lost_s = 3600.0 * rng.uniform(*_LOST_H)
        report_s = lost_s + rng.uniform(*_REPORT_S)
        start = int(rng.choice(self._starts(kind, cross=cross)))
        path = _Path(self, person, rng, lost_s, start)
        path.stop(rng.uniform(30.0, 180.0))
        if kind != FOOT:
            path.wander(lost_s + rng.uniform(60.0, 480.0))
        getattr(path, {FOOT: "on_foot", BUS: "by_bus", CAR: "by_car"}[kind])(cross=cross)
        path.wander(report_s + _LONG_ENOUGH_S)
        time_s_K, place_K2 = path.truth()
        height_m = float(rng.uniform(1.0, 1.4))
        passes = joined_passes(path.parts)
        there = LostChild(
            kind, False, start, lost_s, report_s, height_m, passes, time_s_K, place_K2
        )
        crossed = self._city_at(there.place_at(report_s)) != self.streets.city_N[start]
        return LostChild(
            kind, bool(crossed), start, lost_s, report_s, height_m, passes, time_s_K, place_K2
        )

    def _starts(self, kind: str, *, cross: bool) -> Indices:
        """Crossings at which such a case begins."""
        streets, routes = self.streets, self.routes
        if kind == FOOT and cross:
            ends = streets.street_E2[streets.is_border_E].ravel()
            return np.flatnonzero(routes.metres_NN[:, ends].min(axis=1) < _BORDER_M)
        if kind == BUS:
            near = [line.walk_m_N for line in self.lines if self._crosses(line) == cross]
            return np.flatnonzero(np.min(near, axis=0) < _BUS_STOP_M)
        return np.arange(len(streets.place_N2))

    def _crosses(self, line: BusLine) -> bool:
        return len(np.unique(self.streets.city_N[line.stop_S])) > 1

    def _city_at(self, place_2: Doubles) -> int:
        nearest = np.linalg.norm(self.streets.place_N2 - place_2, axis=1).argmin()
        return int(self.streets.city_N[nearest])


class _Path:
    """A child's way so far: where it is, since when, and what could be seen of it."""

    def __init__(
        self, world: ChildWorld, person: int, rng: np.random.Generator, time_s: float, node: int
    ) -> None:
        self.world, self.person, self.rng = world, person, rng
        self.time_s, self.node = time_s, node
        self.parts: list[NodePasses] = []

    def stop(self, seconds: float) -> None:
        """Stand still, in view of a camera if there is one."""
        until = self.time_s + seconds
        self.parts.append(self._seen(self.time_s, until))
        self.time_s = until

    def wander(self, until_s: float) -> None:
        """From one near place to another, with stops; it ends a walk or a stop late."""
        city_N, metres_NN = self.world.streets.city_N, self.world.routes.metres_NN
        while self.time_s < until_s:
            near_N = (metres_NN[self.node] < _NEAR_M) & (city_N == city_N[self.node])
            near_N[self.node] = False
            choices = np.flatnonzero(near_N)
            if len(choices):
                self._walk_to(int(self.rng.choice(choices)))
            self.stop(_STOP_S * self.rng.lognormal(0.0, _STOP_SPREAD))

    def on_foot(self, *, cross: bool) -> None:
        """Over a road to another city, or nowhere in particular."""
        if not cross:
            return
        streets = self.world.streets
        roads = streets.street_E2[streets.is_border_E]
        pairs = np.concatenate([roads, roads[:, ::-1]])
        near = self.world.routes.metres_NN[self.node, pairs[:, 0]].argmin()
        self._walk_to(int(pairs[near, 0]))
        self._walk_to(int(pairs[near, 1]))

    def by_bus(self, *, cross: bool) -> None:
        """Some stops on a near line, to another city or not."""
        world, city_N = self.world, self.world.streets.city_N
        options = []
        for number, line in enumerate(world.lines):
            at = int(line.nearest_N[self.node])
            for end in range(at + 1, len(line.stop_S)):
                over = city_N[line.stop_S[end]] != city_N[self.node]
                if over == cross and (cross or end >= at + 2):
                    options.append((line.walk_m_N[self.node] > 2 * _BUS_STOP_M, number, at, end))
        if not options:
            return
        best = [one for one in options if one[0] == min(options)[0]]
        _, number, at, end = best[self.rng.integers(len(best))]
        line = world.lines[number]
        bus = BusTrips(np.array([number]), np.array([at]), np.array([end]), np.zeros(1))
        passes, arrive_s = ride(world.routes, world.lines, self._trip(int(line.stop_S[end])), bus)
        self._go_on(passes, int(line.stop_S[end]), float(arrive_s[0]))

    def by_car(self, *, cross: bool) -> None:
        """Set down in another city, or at least 800 m away."""
        world = self.world
        own_N = world.streets.city_N == world.streets.city_N[self.node]
        far_N = own_N & (world.routes.metres_NN[self.node] > 800.0)
        node = int(self.rng.choice(np.flatnonzero(~own_N if cross else far_N)))
        passes, arrive_s = drive(world.routes, self._trip(node), world.streets.city_N)
        self._go_on(passes, node, float(arrive_s[0]))

    def truth(self) -> tuple[Doubles, Doubles]:
        """Times and places in order."""
        passes = joined_passes(self.parts)
        time_s = np.concatenate([passes.since_s_P, passes.until_s_P])
        node = np.concatenate([passes.node_P, passes.node_P])
        order = np.argsort(time_s, kind="stable")
        return time_s[order], self.world.streets.place_N2[node[order]]

    def _walk_to(self, node: int) -> None:
        passes, arrive_s = walk(self.world.routes, self._trip(node))
        self._go_on(passes, node, float(arrive_s[0]))

    def _go_on(self, passes: NodePasses, node: int, time_s: float) -> None:
        self.parts.append(passes)
        self.node, self.time_s = node, time_s

    def _trip(self, node: int) -> Trips:
        taste = self.rng.integers(0, TASTES, 1)
        one: Ints = np.array([self.person])
        return Trips(
            one,
            np.array([self.node]),
            np.array([node]),
            np.array([self.time_s]),
            taste,
            np.array([CHILD_MPS]),
        )

    def _seen(self, since_s: float, until_s: float) -> NodePasses:
        return NodePasses(
            np.array([self.person]),
            np.array([self.node]),
            np.array([since_s]),
            np.array([until_s]),
        )
