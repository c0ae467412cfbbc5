"""How long drivers take from the car park they are sent to until they are where they want to go.

Who finds it full drives on to the nearest that they have not tried, until one has a space, and
walks from there: what a plan is worth to a driver, who does not give up (Shoup 2006, "Cruising for
parking"). A nearer car park is worth a risk, a risk is worth a walk: one figure for both.

Shapes: N places, H horizon steps.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from deepcity.applications.decision import Decision
from deepcity.applications.state import State
from deepcity.applications.tasks.plan import Pace, haversine_m, walk_m
from deepcity.city.arrays import Doubles, Floats
from deepcity.city.place import Place

PACE = Pace()
NOTHING = 30.0
"""Minutes of who finds no space at all."""


def minutes(
    state: State, decision: Decision, truth_NH: Floats, pace: Pace = PACE
) -> tuple[float, int]:
    """Minutes of all cars together, and how many they are; who is sent where nothing was measured
    counts nowhere, who is sent nowhere has found nothing.

    Args:
        truth_NH: free spaces as measured, before the requests; a car that finds one keeps it until
            the horizon ends.
    """
    index = {place.id: number for number, place in enumerate(state.places)}
    walks = {request.id: walk_m(state, request) for request in state.requests}
    free_NH = np.floor(truth_NH.astype(np.float64))
    total, cars = 0.0, 0
    for one in sorted(decision.actions, key=lambda action: action.at_s):
        place, step = index[one.place], (one.at_s - state.now_s) // state.step_s
        count = int(one.numbers["count"])
        cars += count
        if not np.isfinite(free_NH[place, step]):
            cars -= count
            continue
        total += _until_there(free_NH, place, step, count, walks[one.request], state.places, pace)
    sent = sum(int(one.numbers["count"]) for one in decision.actions)
    nowhere = sum(request.count for request in state.requests) - sent
    return total + nowhere * NOTHING, cars + nowhere


def _until_there(
    free_NH: Doubles,
    place: int,
    step: int,
    left: int,
    walk_N: Doubles,
    places: tuple[Place, ...],
    pace: Pace,
) -> float:
    """Minutes of so many cars sent to one place; the spaces that they take are gone."""
    total, driven = 0.0, 0.0
    untried = set(np.flatnonzero(np.isfinite(free_NH[:, step]) & np.isfinite(walk_N)).tolist())
    while left:
        parked = int(min(left, max(0.0, free_NH[place, step])))
        free_NH[place, step:] -= parked
        total += parked * (driven + walk_N[place] / pace.walk_m)
        left -= parked
        untried.discard(place)
        if not untried:
            break
        way_N = _apart_m(places)[place]
        place = min(untried, key=lambda other: (way_N[other], other))
        driven += pace.full + way_N[place] / pace.drive_m
    return total + left * max(driven, NOTHING)


@lru_cache(maxsize=2)
def _apart_m(places: tuple[Place, ...]) -> Sequence[Sequence[float]]:
    """Metres between each two places; infinite where a position is unknown."""
    at = [None if one.lat is None or one.lon is None else (one.lat, one.lon) for one in places]
    return [[np.inf if a is None or b is None else haversine_m(a, b) for b in at] for a in at]
