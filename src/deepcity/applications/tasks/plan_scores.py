"""Scores of a plan: the share that found a space, and how far they walked.

Shapes: N places, H horizon steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.applications.decision import Action, Confirm, Decision, Reason
from deepcity.applications.state import Request, State
from deepcity.applications.tasks.plan import walk_m
from deepcity.city.arrays import Floats
from deepcity.city.place import Place

_NEAR_DEG = 0.002  # about 200 m


@dataclass(frozen=True)
class PlanScore:
    """The outcome of a plan.

    Attributes:
        asked: cars that asked, without those sent where no truth was measured.
        found: those of them that found a space; a car sent nowhere did not.
        walked_m: metres walked by those who found one, summed.
    """

    asked: int
    found: int
    walked_m: float


def plan_score(state: State, decision: Decision, truth_NH: Floats) -> PlanScore:
    """Simulate the plan: every car drives where it is sent, in order of arrival.

    A car that finds a space keeps it until the horizon ends; one that does not gives up.

    Args:
        truth_NH: free spaces as measured, before the requests.
    """
    index = {place.id: number for number, place in enumerate(state.places)}
    taken_NH = np.zeros(truth_NH.shape)
    asked, found, walked_m = sum(request.count for request in state.requests), 0, 0.0
    walks = {request.id: walk_m(state, request) for request in state.requests}
    for one in sorted(decision.actions, key=lambda action: action.at_s):
        place, step = index[one.place], (one.at_s - state.now_s) // state.step_s
        free = truth_NH[place, step] - taken_NH[place, step]
        if not np.isfinite(free):
            asked -= int(one.numbers["count"])
            continue
        parked = int(min(one.numbers["count"], max(0.0, np.floor(free))))
        taken_NH[place, step:] += parked
        found += parked
        walked_m += parked * float(walks[one.request][place])
    return PlanScore(asked, found, walked_m)


@dataclass(frozen=True)
class NearestPlace:
    """The baseline plan: everybody to the nearest place that is forecast to have a space.

    Attributes:
        least_free: free spaces that the forecast must show; -inf: the forecast is ignored.
        count_down: whether cars sent to a place are subtracted from its spaces.
    """

    least_free: float = -np.inf
    count_down: bool = False

    def __call__(self, state: State) -> Decision:
        """The plan; its certainty is 0, as past errors are not used."""
        free_NH = state.forecast_NH.astype(np.float64)
        actions = []
        for request in sorted(state.requests, key=lambda one: (one.step, one.id)):
            walk_N = walk_m(state, request)
            for _ in range(request.count):
                open_N = ~(free_NH[:, request.step] < self.least_free) & np.isfinite(walk_N)
                if not open_N.any():
                    open_N = np.isfinite(walk_N)
                if not open_N.any():
                    break
                place = int(np.argmin(np.where(open_N, walk_N, np.inf)))
                free_NH[place, request.step :] -= self.count_down
                numbers = {"count": 1.0}
                at_s = state.time_s(request.step)
                actions.append(Action("park", state.places[place].id, at_s, numbers, request.id))
        return Decision(
            tuple(actions), (Reason("nearest"),), 0.0, state.valid_until_s, Confirm.NOBODY
        )


def invented_requests(
    places: Sequence[Place], cars: int, steps: int, rng: np.random.Generator
) -> list[Request]:
    """Cars for one destination near a random place, spread over the steps ahead.

    Args:
        places: at least one with a position.
    """
    placed = [(one.lat, one.lon) for one in places if one.lat is not None and one.lon is not None]
    lat, lon = np.array(placed[rng.integers(len(placed))]) + rng.normal(0, _NEAR_DEG, 2)
    count_H = rng.multinomial(cars, np.full(steps, 1 / steps))
    return [
        Request(f"step-{step}", float(lat), float(lon), step, int(count))
        for step, count in enumerate(count_H)
        if count
    ]
