"""The form of a slowing that no usual day and no weather explains: as an incident's, an event's.

Shapes: T steps of a window, N places, K places of a jam.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.applications.state import State
from deepcity.applications.tasks.plan import haversine_m
from deepcity.applications.traffic.jams import Speeds
from deepcity.applications.traffic.roads import Roads
from deepcity.city.arrays import Bools, Doubles

_FAST_S = 900  # within so long an incident slows a place
_BEFORE_S = 7200  # before the window, in which a place may have slowed
_CLEAR = 0.15  # of free flow: smaller falls say nothing
AROUND_M = 3000.0
"""As far from where a jam began, as the crow flies, an event would slow roads."""
_ABRUPT, _HALF_ABRUPT = 9.0, 0.55  # log odds of an incident: a logistic regression on planted jams
_AROUND, _HALF_AROUND = 2.5, 0.3  # of Los Angeles, of a day before those that test
_REACH = (2.0, 500.0)  # a jam came from there if by road it is no further than this


@dataclass(frozen=True)
class SlowingForm:
    """What tells an incident from an event.

    Attributes:
        abrupt: share of the places' fall that came within a quarter of an hour; NaN: no clear one.
        around: share of the slowing nearby at places that a jam growing from where it began
            cannot have reached; NaN without roads of known direction.
        minutes: since the slowing began.
        metres: mean distance of the slowing from where it began, as the crow flies; NaN without
            positions.
    """

    abrupt: float
    around: float
    minutes: float
    metres: float

    def parts(self) -> dict[str, float]:
        """How much of it is incident-like, event-like, and neither; 1 in all."""
        odds = 0.0
        if np.isfinite(self.abrupt):
            odds += _ABRUPT * (self.abrupt - _HALF_ABRUPT)
        if np.isfinite(self.around):
            odds -= _AROUND * (self.around - _HALF_AROUND)
        weights = np.exp(np.clip(np.array([odds, -odds, 0.0]), -30, 30))
        incident, event, neither = (weights / weights.sum()).tolist()
        return {"incident-like": incident, "event-like": event, "unusual": neither}


def form_of(
    state: State,
    speeds: Speeds,
    roads: Roads | None,
    jam: Sequence[int],
    place: int,
    left_TN: Doubles,
    start: int,
) -> SlowingForm:
    """Of a jam that most likely began at a place.

    Args:
        left_TN: what is to be explained, of all places.
        start: the window's first step, from now.
    """
    weight_K = left_TN[:, list(jam)].sum(axis=0)
    abrupt_K = np.array([_abrupt(speeds, one, start, len(left_TN)) for one in jam])
    known_K = np.isfinite(abrupt_K) & (weight_K > 0)
    abrupt = float("nan")
    if known_K.any():
        abrupt = float(np.average(abrupt_K[known_K], weights=weight_K[known_K]))
    onset = min((one for one in map(speeds.onset, jam) if np.isfinite(one)), default=0.0)
    minutes = max(0.0, -onset) * state.step_s / 60
    crow_N = _crow_m(state, place)
    if crow_N is None:
        return SlowingForm(abrupt, float("nan"), minutes, float("nan"))
    weight_N = np.where(crow_N <= AROUND_M, left_TN.sum(axis=0), 0.0)
    total = float(weight_N.sum())
    if total <= 0:
        return SlowingForm(abrupt, float("nan"), minutes, float("nan"))
    metres = float(weight_N @ np.nan_to_num(crow_N, posinf=0.0)) / total
    around = float("nan")
    if roads is not None and roads.directed:
        around = float(weight_N[~_reached(roads, place, crow_N)].sum()) / total
    return SlowingForm(abrupt, around, minutes, metres)


def _abrupt(speeds: Speeds, place: int, start: int, steps: int) -> float:
    """Share of its fall within a quarter of an hour; NaN where it fell by little."""
    fast, before = max(1, _FAST_S // speeds.step_s), _BEFORE_S // speeds.step_s
    at = speeds.now + start
    share_T = speeds.share_TN[max(0, at - before) : at + steps, place]
    share_T = share_T[np.isfinite(share_T)]
    if len(share_T) <= fast:
        return float("nan")
    lowest = int(np.argmin(share_T))
    fell = float(share_T[: lowest + 1].max() - share_T[lowest])
    if fell < _CLEAR:
        return float("nan")
    until_T = share_T[: lowest + 1]
    quick = float((until_T[:-fast] - until_T[fast:]).max(initial=0.0))
    return min(1.0, max(quick, 0.0) / fell)


def _crow_m(state: State, place: int) -> Doubles | None:
    """Metres from a place to all, infinite where a position is unknown; None where its own is."""
    at = state.places[place]
    if at.lat is None or at.lon is None:
        return None
    here = at.lat, at.lon
    return np.array(
        [
            np.inf if one.lat is None or one.lon is None else haversine_m(here, (one.lat, one.lon))
            for one in state.places
        ]
    )


def _reached(roads: Roads, place: int, crow_N: Doubles) -> Bools:
    """Which places a jam growing from one may have reached, by a way that is hardly longer."""
    longest, more = _REACH
    found = roads.metres_from(place, upstream=True)
    road_N = np.array([found.get(other, np.inf) for other in range(len(crow_N))])
    return np.asarray(road_N <= longest * crow_N + more)
