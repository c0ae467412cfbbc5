"""The fastest way by the speeds that will be there when one arrives, and a way around a jam.

Minutes on a road follow the speeds of the steps in which it is driven, half by those of the place
it leaves, half by those of the one it reaches; after the last step they stay as they are.

Shapes: N places, E roads, H steps, B earlier forecasts.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import rustworkx as rx
from rustworkx.visit import DijkstraVisitor, StopSearch

from deepcity.applications.traffic.roads import Roads
from deepcity.city.arrays import Doubles

_SLOWEST_KMH = 3.0


@dataclass(frozen=True)
class Route:
    """A way: the places passed, first to last, and the minutes it takes."""

    places: tuple[int, ...]
    minutes: float


@dataclass(frozen=True, eq=False)
class Travel:
    """Travel on roads by speeds step by step, departing when the first begins.

    Attributes:
        kmh_NH: one step where speeds stay the same; all finite.
        step_minutes: of each step.
    """

    roads: Roads
    kmh_NH: Doubles
    step_minutes: float

    @cached_property
    def _minutes(self) -> list[list[float]]:
        """Of every road, driven wholly at the speeds of each step."""
        pace_NH = 60 / np.maximum(self.kmh_NH, _SLOWEST_KMH)
        pace_EH = (pace_NH[self.roads.tail_E] + pace_NH[self.roads.head_E]) / 2
        found: list[list[float]] = (pace_EH * self.roads.metres_E[:, None] / 1000).tolist()
        return found

    def arrival(self, road: int, minute: float) -> float:
        """When one reaches its head who leaves its tail at this minute."""
        minutes_H, left = self._minutes[road], 1.0
        last = len(minutes_H) - 1
        step = min(int(minute / self.step_minutes), last)
        while step < last:
            rest = (step + 1) * self.step_minutes - minute
            if left * minutes_H[step] <= rest:
                break
            left -= rest / minutes_H[step]
            step += 1
            minute = step * self.step_minutes
        return minute + left * minutes_H[step]

    def fastest(self, start: int, ends: list[int]) -> dict[int, Route]:
        """The way that arrives first, for every end that can be reached.

        Exact, as no road is left earlier by who enters it later (Dijkstra over arrivals).
        """
        search = _Search(self, set(ends))
        rx.dijkstra_search(self.roads.graph, [start], search.cost, search)
        return {end: Route(search.places(end), search.at[end]) for end in ends if end in search.at}

    def duration(self, places: tuple[int, ...]) -> float:
        """How long a way takes by these speeds.

        Raises:
            rustworkx.NoEdgeBetweenNodes: if no road joins two places that follow each other.
        """
        minute = 0.0
        for tail, head in pairwise(places):
            minute = self.arrival(self.roads.graph.get_edge_data(tail, head), minute)
        return minute


class _Search(DijkstraVisitor[Any]):
    """Arrival at every place, until all ends are reached; the cost of a road depends on it."""

    def __init__(self, travel: Travel, ends: set[int]) -> None:
        self._travel, self._ends = travel, ends
        self._now = 0.0
        self._before: dict[int, int] = {}
        self.at: dict[int, float] = {}

    def discover_vertex(self, v: int, score: float) -> None:
        """At the place reached next: roads are left at its time of arrival."""
        self._now = self.at[v] = score
        self._ends.discard(v)
        if not self._ends:
            raise StopSearch

    def edge_relaxed(self, edge: tuple[int, int, Any]) -> None:
        """A road by which its head is reached earlier."""
        self._before[edge[1]] = edge[0]

    def cost(self, road: int) -> float:
        """Minutes on a road that is entered now."""
        return self._travel.arrival(road, self._now) - self._now

    def places(self, end: int) -> tuple[int, ...]:
        """The way that reached a place."""
        found = [end]
        while found[-1] in self._before:
            found.append(self._before[found[-1]])
        return tuple(found[::-1])
