"""A way around a jam that is faster by forecast than the usual way through it.

Shapes: N places, H horizon steps, B earlier forecasts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from deepcity.applications.state import State
from deepcity.applications.traffic.jams import Speeds, kmh
from deepcity.applications.traffic.roads import Roads
from deepcity.applications.traffic.travel import Route, Travel
from deepcity.city.arrays import Doubles

_EQUAL_MINUTES = 0.1  # of detours that save as much, the one that is left the latest
_SURE = 0.5  # of past errors, with which it must be the faster way
_NEAR_M, _FAR_M = 1000.0, 8000.0  # where drivers leave the road and come back
_ENDS = 8  # as many places on each side are tried
_ERRORS = 40  # past errors looked at


@dataclass(frozen=True)
class Search:
    """How detours are sought.

    Attributes:
        worth_minutes: that one must save by forecast, which promises less than comes.
        around: places of a jam that ways are sought around: where it began, and the slowest.
    """

    worth_minutes: float = 0.5
    around: int = 4


@dataclass(frozen=True)
class Detour:
    """A faster way.

    Attributes:
        way, usual: the detour and the way of free flow, with minutes by forecast.
        metres, usual_metres: their lengths.
        probability: share of past errors with which it is the faster of the two.
    """

    way: Route
    usual: Route
    metres: float
    usual_metres: float
    probability: float


_SEARCH = Search()


def detour_around(
    state: State,
    speeds: Speeds,
    roads: Roads,
    jam: Sequence[int],
    began: int,
    search: Search = _SEARCH,
) -> Detour | None:
    """The detour that saves most around a jam; None where none is worth it.

    Args:
        jam: its places.
        began: the one of them where it most likely began.
    """
    minutes = state.step_s / 60
    free_NH = filled(speeds.free_N[:, None], speeds)
    ahead_NH = filled(kmh(state.forecast_NH, state.unit), speeds)
    free, ahead = Travel(roads, free_NH, minutes), Travel(roads, ahead_NH, minutes)
    slowest = sorted(jam, key=lambda place: (speeds.lowest(place), place))
    best: _Pair | None = None
    for place in dict.fromkeys([began, *slowest[: search.around - 1]]):
        for found in _pairs(free, ahead, jam, place):
            if found.saved < search.worth_minutes:
                continue
            if best is None or found.saved > best.saved + _EQUAL_MINUTES:
                best = found
    if best is None:
        return None
    probability = _probability(state, speeds, roads, best.way, best.usual)
    if probability < _SURE:
        return None
    metres = _metres(roads, best.way), _metres(roads, best.usual)
    return Detour(best.way, best.usual, *metres, probability)


@dataclass(frozen=True)
class _Pair:
    """A way and the usual way between the same ends."""

    way: Route
    usual: Route

    @property
    def saved(self) -> float:
        return self.usual.minutes - self.way.minutes


def _pairs(free: Travel, ahead: Travel, jam: Sequence[int], place: int) -> Iterator[_Pair]:
    """Ways around a place, against the ways of free flow that lead over it."""
    ends = _ends(ahead.roads, jam, place, upstream=False)
    for start in _ends(ahead.roads, jam, place, upstream=True):
        usual = free.fastest(start, [end for end in ends if end != start])
        through = {end: way for end, way in usual.items() if place in way.places}
        for end, way in ahead.fastest(start, list(through)).items() if through else ():
            places = through[end].places
            yield _Pair(way, Route(places, ahead.duration(places)))


def filled(kmh_NH: Doubles, speeds: Speeds) -> Doubles:
    """Speeds with free flow where they are not known; 0 where that is not known either."""
    known_NH = np.where(np.isfinite(kmh_NH), kmh_NH, speeds.free_N[:, None])
    return np.nan_to_num(known_NH)


def _ends(roads: Roads, jam: Sequence[int], place: int, *, upstream: bool) -> list[int]:
    """Free places a few kilometres before or after a place, the nearest first."""
    metres = roads.metres_from(place, upstream=upstream)
    near = [n for n, far in metres.items() if _NEAR_M <= far <= _FAR_M and n not in set(jam)]
    ordered = sorted(near, key=lambda n: (metres[n], n))
    return ordered[:: max(1, len(ordered) // _ENDS)]


def _probability(state: State, speeds: Speeds, roads: Roads, way: Route, usual: Route) -> float:
    """0.5 where no past error is known."""
    errors_BNH = state.past.errors_BNH
    errors_BNH = errors_BNH[:: max(1, len(errors_BNH) // _ERRORS)]
    faster = []
    for errors_NH in errors_BNH:
        if not np.isfinite(errors_NH).any():
            continue
        came_NH = kmh(state.forecast_NH + np.nan_to_num(errors_NH), state.unit)
        travel = Travel(roads, filled(came_NH, speeds), state.step_s / 60)
        faster.append(travel.duration(way.places) < travel.duration(usual.places))
    return float(np.mean(faster)) if faster else 0.5


def _metres(roads: Roads, way: Route) -> float:
    driven = [roads.graph.get_edge_data(*ends) for ends in pairwise(way.places)]
    return float(roads.metres_E[driven].sum())
