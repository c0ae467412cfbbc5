"""The service's detours, driven in the speeds measured later, beside the usual ways.

What it decides by: its forecast, present speeds (as if they stayed), or the usual speeds of the
hour. `EARLIER` is how detours were sought before: around where a jam began alone, from two
minutes saved on. The search and its half a minute were chosen on Sunday and Monday, by forecasts
of networks that had learned the days before.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from benchmarks.decisions.day_scores import DayScores
from benchmarks.traffic_causes.forecasts import DAY, HORIZON, LEARNED, Forecasts, freeways, state_at
from deepcity.applications.application import applications
from deepcity.applications.state import Past
from deepcity.applications.traffic.decide import ActOnJams
from deepcity.applications.traffic.detours import Search
from deepcity.applications.traffic.jams import kmh
from deepcity.applications.traffic.travel import Travel
from deepcity.city.arrays import Doubles, Floats

FORECAST, PRESENT, TYPICAL, EARLIER = (
    "forecast",
    "present speeds",
    "usual speeds of that hour",
    "present speeds, ways sought as before",
)
_EVERY = 3  # steps between two decisions
_STEP_MINUTES = 5.0
_BLOCK = 6 * 12  # steps that are drawn together: two days are too few to be drawn whole
_WEEKDAYS = [0, 1, 4]  # of those learned from; the week begins on a Thursday


@dataclass(frozen=True, eq=False)
class Detours:
    """The detours of two days: minutes promised and really saved.

    Attributes:
        origins: of every decision.
        of: for each detour, its decision's origin.
    """

    by: str
    origins: list[int]
    of: list[int]
    promised: list[float]
    saved: list[float]

    @property
    def a_decision(self) -> DayScores:
        """Minutes saved, by quarters of a day."""
        total = dict.fromkeys(self.origins, 0.0)
        for origin, saved in zip(self.of, self.saved, strict=True):
            total[origin] += saved
        block_X = np.array(self.origins) // _BLOCK
        return DayScores.of(block_X, np.array([total[one] for one in self.origins]))

    @property
    def longer(self) -> DayScores:
        """Share of detours that take longer than the usual way, by quarters of a day."""
        block_X = np.array([*self.of, *self.origins]) // _BLOCK
        wrong_X = np.array([*(float(one < 0) for one in self.saved), *(0.0 for _ in self.origins)])
        weight_X = np.array([1.0] * len(self.of) + [0.0] * len(self.origins))
        return DayScores.of(block_X, wrong_X, weight_X)


def detours(found: Forecasts) -> Iterator[Detours]:
    """By every way to decide, on the same two days."""
    yield _driven(FORECAST, found.by_origin, found.past)
    yield from _unlearned(tuple(found.by_origin))


@cache
def _unlearned(origins: tuple[int, ...]) -> tuple[Detours, ...]:
    """Those that no network is needed for, the same for every seed."""
    nothing = np.empty((0, 207, HORIZON), np.float32)
    none, newest = Past(nothing, nothing), {one: _present(one) for one in origins}
    usual = {one: _typical(one) for one in origins}
    before = Search(worth_minutes=2.0, around=1)
    return (
        _driven(PRESENT, newest, none),
        _driven(TYPICAL, usual, none),
        _driven(EARLIER, newest, none, before),
    )


def _present(origin: int) -> Floats:
    values_TN = freeways().panel.values_TNF[:, :, 0]
    return np.repeat(values_TN[origin - 1][:, None], HORIZON, axis=1)


def _typical(origin: int) -> Floats:
    return usual_speeds()[np.arange(origin, origin + HORIZON) % DAY].T


def usual_speeds() -> Floats:
    """Median of the weekdays that are learned from, mph, (steps of a day, N)."""
    values_TN = freeways().panel.values_TNF[:LEARNED, :, 0]
    by_day = values_TN.reshape(-1, DAY, values_TN.shape[1])[_WEEKDAYS]
    return np.asarray(np.median(by_day, axis=0), np.float32)


def _driven(
    by: str, by_origin: dict[int, Floats], past: Past, search: Search | None = None
) -> Detours:
    decide, panel = applications()["traffic"].decide, freeways().panel
    if search is not None and isinstance(decide, ActOnJams):
        decide = replace(decide, search=search)
    number = {place.id: index for index, place in enumerate(panel.places)}
    origins = sorted(by_origin)[::_EVERY]
    found = Detours(by, origins, [], [], [])
    for origin in origins:
        truth = travel(panel.values_TNF[origin : origin + HORIZON, :, 0].T)
        for action in decide(state_at(panel, origin, by_origin[origin], past)).actions:
            if action.code == "detour":
                way, usual = (
                    tuple(number[place] for place in one)
                    for one in (action.route, action.usual_route)
                )
                numbers = action.numbers
                found.of.append(origin)
                found.promised.append(numbers["usual-minutes"] - numbers["minutes"])
                found.saved.append(truth.duration(usual) - truth.duration(way))
    return found


def travel(speed_NH: Floats | Doubles) -> Travel:
    """By speeds in mph, step by step."""
    return Travel(freeways().roads, kmh(speed_NH, "mph"), _STEP_MINUTES)
