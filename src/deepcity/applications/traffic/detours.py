"""A way around a jam that is faster by forecast than the usual way through it.

Shapes: N places, H horizon steps, B earlier forecasts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from deepcity.applications.state import State
from deepcity.applications.traffic.jams import Speeds, kmh
from deepcity.applications.traffic.roads import Roads
from deepcity.applications.traffic.travel import Route, Travel
from deepcity.city.arrays import Doubles

WORTH_MINUTES = 2.0
"""Minutes that a detour must save by forecast."""
_EQUAL_MINUTES = 0.1  # of detours that save as much, the one that is left the latest
_SURE = 0.5  # of past errors, with which it must be the faster way
_NEAR_M, _FAR_M = 1000.0, 8000.0  # where drivers leave the road and come back
_ENDS = 8  # as many places on each side are tried
_ERRORS = 40  # past errors looked at


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


def detour_around(
    state: State, speeds: Speeds, roads: Roads, jam: Sequence[int], place: int
) -> Detour | None:
    """The detour that saves most around a jam; None where none is worth it.

    Args:
        jam: its places.
        place: the one of them that ways are sought around.
    """
    minutes = state.step_s / 60
    free_NH = filled(speeds.free_N[:, None], speeds)
    ahead_NH = filled(kmh(state.forecast_NH, state.unit), speeds)
    free, ahead = Travel(roads, free_NH, minutes), Travel(roads, ahead_NH, minutes)
    starts = _ends(roads, jam, place, upstream=True)
    ends = _ends(roads, jam, place, upstream=False)
    best: tuple[float, Route, Route] | None = None
    for start in starts:
        usual = free.fastest(start, [end for end in ends if end != start])
        through = {end: way for end, way in usual.items() if place in way.places}
        for end, way in ahead.fastest(start, list(through)).items() if through else ():
            on_usual = Route(through[end].places, ahead.duration(through[end].places))
            saved = on_usual.minutes - way.minutes
            if saved >= WORTH_MINUTES and (best is None or saved > best[0] + _EQUAL_MINUTES):
                best = saved, way, on_usual
    if best is None:
        return None
    _, way, on_usual = best
    probability = _probability(state, speeds, roads, way, on_usual)
    if probability < _SURE:
        return None
    return Detour(way, on_usual, _metres(roads, way), _metres(roads, on_usual), probability)


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
