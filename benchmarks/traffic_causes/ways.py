"""Ways by forecast, by present speeds and by free flow: minutes that drivers would have needed.

Each way is driven in the speeds that were measured later. Origins and destinations are drawn
among those at least eight minutes apart at free flow, departures in the peaks of the test days,
at once or planned half an hour or an hour ahead. The service's own detours are driven too.

Shapes: N places, H horizon steps.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.decisions.forecasts import spread
from benchmarks.traffic_causes.forecasts import (
    DAY,
    HORIZON,
    LEARNED,
    Forecasts,
    forecasts,
    freeways,
    state_at,
)
from deepcity.applications.application import applications
from deepcity.applications.state import Past
from deepcity.applications.traffic.detours import filled
from deepcity.applications.traffic.jams import Speeds, kmh
from deepcity.applications.traffic.travel import Route, Travel
from deepcity.city.arrays import Doubles, Floats

DEPARTURES, TRIPS = 60, 10  # a seed, and trips a departure
WAITS = (0, 6, 12)  # steps from the plan to the departure: 0, 30 and 60 minutes
_PEAKS = ((6, 10), (14, 19))
_LEAST_MINUTES, _MATTERS = 8.0, 0.5
_STEP_MINUTES = 5.0
_EVERY = 3  # steps between two decisions of the service
FREE, PRESENT, TYPICAL, FORECAST, BEST = (
    "free flow",
    "present speeds",
    "usual speeds of that hour",
    "forecast",
    "measured later (the best possible)",
)


@dataclass(frozen=True)
class Trips:
    """Minutes of every trip by the way of each rule, one seed and wait."""

    wait: int
    minutes: dict[str, Doubles]


@dataclass(frozen=True)
class Detours:
    """The service's detours of two days by one forecast: minutes promised and really saved."""

    by: str
    decisions: int
    promised: list[float]
    saved: list[float]


@dataclass(frozen=True)
class Seed:
    """What one seed (of the network and of the trips) gave."""

    seed: int
    error: float
    trips: list[Trips]
    detours: list[Detours]


def measure(seed: int) -> Seed:
    """Learn, then drive."""
    found = forecasts(seed)
    trips = [_trips(found, seed, wait) for wait in WAITS]
    none = Past(np.empty((0, 207, HORIZON), np.float32), np.empty((0, 207, HORIZON), np.float32))
    values_TN = freeways().panel.values_TNF[:, :, 0]
    newest = {o: np.repeat(values_TN[o - 1][:, None], HORIZON, axis=1) for o in found.by_origin}
    detours = [
        _detours("forecast", found.by_origin, found.past),
        _detours("present speeds", newest, none),
    ]
    return Seed(seed, found.error, trips, detours)


def _travel(speed_NH: Floats | Doubles) -> Travel:
    return Travel(freeways().roads, kmh(speed_NH, "mph"), _STEP_MINUTES)


def _trips(found: Forecasts, seed: int, wait: int) -> Trips:
    values_TN = freeways().panel.values_TNF[:, :, 0]
    free = _travel(np.percentile(values_TN[:LEARNED], 85, axis=0)[:, None])
    weekdays = values_TN[:LEARNED].reshape(-1, DAY, values_TN.shape[1])[[0, 1, 4]]
    usual_TN = np.median(weekdays, axis=0)
    rng = np.random.default_rng([seed, 7])  # the same trips for every wait
    origins = [o for o in sorted(found.by_origin) if _in_peak(o)]
    minutes: dict[str, list[float]] = {FREE: [], PRESENT: [], TYPICAL: [], FORECAST: [], BEST: []}
    for origin in rng.choice(origins, DEPARTURES).tolist():
        leaves = origin + wait
        hours = np.arange(leaves, leaves + HORIZON - wait) % DAY
        truth = _travel(values_TN[leaves : origin + HORIZON].T)
        ways = {
            FREE: free,
            PRESENT: _travel(values_TN[origin - 1][:, None]),
            TYPICAL: _travel(usual_TN[hours].T),
            FORECAST: _travel(found.by_origin[origin][:, wait:]),
            BEST: truth,
        }
        for start, end in _pairs(free, rng):
            for name, travel in ways.items():
                way = travel.fastest(start, [end])[end]
                minutes[name].append(truth.duration(way.places))
    return Trips(wait, {name: np.array(each) for name, each in minutes.items()})


def _in_peak(step: int) -> bool:
    hour = step % DAY * 24 / DAY
    return any(start <= hour < end for start, end in _PEAKS)


def _pairs(free: Travel, rng: np.random.Generator) -> Iterator[tuple[int, int]]:
    count = 0
    while count < TRIPS:
        start, end = (int(place) for place in rng.integers(free.roads.places, size=2))
        way: Route | None = free.fastest(start, [end]).get(end)
        if way is not None and way.minutes >= _LEAST_MINUTES:
            count += 1
            yield start, end


def _detours(by: str, by_origin: dict[int, Floats], past: Past) -> Detours:
    decide, panel = applications()["traffic"].decide, freeways().panel
    number = {place.id: index for index, place in enumerate(panel.places)}
    found = Detours(by, 0, [], [])
    decisions = 0
    for origin in sorted(by_origin)[::_EVERY]:
        decisions += 1
        state = state_at(panel, origin, by_origin[origin], past)
        speeds = Speeds.of(state)
        free = Travel(freeways().roads, filled(speeds.free_N[:, None], speeds), _STEP_MINUTES)
        truth = _travel(panel.values_TNF[origin : origin + HORIZON, :, 0].T)
        for action in decide(state).actions:
            if action.code == "detour":
                way = tuple(number[place] for place in action.route)
                usual = free.fastest(way[0], [way[-1]])[way[-1]].places
                numbers = action.numbers
                found.promised.append(numbers["usual-minutes"] - numbers["minutes"])
                found.saved.append(truth.duration(usual) - truth.duration(way))
    return Detours(by, decisions, found.promised, found.saved)


def text(found: list[Seed]) -> str:
    """The tables as Markdown."""
    seeds = ", ".join(str(one.seed) for one in found)
    error = spread([one.error for one in found], 2, " mph")
    trips = DEPARTURES * TRIPS
    lines = [
        f"### Ways by forecast: {trips} trips a seed, seeds {seeds}",
        "",
        "Trips of at least 8 minutes at free flow, between random places, leaving in the peaks "
        "(6 to 10, 14 to 19 o'clock) of the two test days, planned so long before. Each way is "
        "driven in the speeds measured later. Minutes saved against the way of free flow; share "
        "of trips that take at least half a minute longer or less than by present speeds. "
        f"Forecaster: a network of 4 rounds from ridge on, mean absolute error {error}.",
        "",
        "| planned before | way by | minutes | saved | longer than by present speeds | shorter |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    for index, wait in enumerate(WAITS):
        each = [one.trips[index].minutes for one in found]
        for name in each[0]:
            lines.append(f"| {wait * 5} min | {name} | {_trip_cells(each, name)} |")
    lines += [
        "",
        "### Detours that the service recommends",
        "",
        "Every 15 minutes of the two test days: each detour is driven in the speeds measured later "
        "beside the usual way (that of free flow). The service fed with present speeds for its "
        "forecast knows no past errors and recommends whatever saves two minutes: more detours, "
        "more minutes in sum, and some that lose.",
        "",
        "| by | detours a decision | promised, min | saved, min | saved a decision, min "
        "| longer than the usual way |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for index, first in enumerate(found[0].detours):
        own = [one.detours[index] for one in found]
        cells = (
            spread([len(one.saved) / one.decisions for one in own], 2),
            spread([float(np.mean(one.promised)) for one in own], 1),
            spread([float(np.mean(one.saved)) for one in own], 1),
            spread([sum(one.saved) / one.decisions for one in own], 2),
            spread([100 * float((np.array(one.saved) < 0).mean()) for one in own], 1, " %"),
        )
        lines.append(f"| {first.by} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _trip_cells(each: list[dict[str, Doubles]], name: str) -> str:
    present = [minutes[name] - minutes[PRESENT] for minutes in each]
    cells = [
        spread([float(minutes[name].mean()) for minutes in each], 2),
        spread([float((minutes[FREE] - minutes[name]).mean()) for minutes in each], 2),
        spread([100 * float((one >= _MATTERS).mean()) for one in present], 1, " %"),
        spread([100 * float((one <= -_MATTERS).mean()) for one in present], 1, " %"),
    ]
    return " | ".join(cells)
