"""Ways by forecast, by present speeds and by free flow: minutes that drivers would have needed.

Each way is driven in the speeds that were measured later. Origins and destinations are drawn
among those at least eight minutes apart at free flow, departures in the peaks of the test days,
at once or planned half an hour or an hour ahead. The service's own detours are driven too.

Shapes: N places, H horizon steps.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.decisions.forecasts import spread
from benchmarks.traffic_causes.detours import (
    FORECAST,
    PRESENT,
    TYPICAL,
    Detours,
    detours,
    travel,
    usual_speeds,
)
from benchmarks.traffic_causes.forecasts import (
    DAY,
    HORIZON,
    LEARNED,
    Forecasts,
    forecasts,
    freeways,
)
from deepcity.applications.traffic.travel import Route, Travel
from deepcity.city.arrays import Doubles

DEPARTURES, TRIPS = 60, 10  # a seed, and trips a departure
WAITS = (0, 6, 12)  # steps from the plan to the departure: 0, 30 and 60 minutes
_PEAKS = ((6, 10), (14, 19))
_LEAST_MINUTES, _MATTERS = 8.0, 0.5
FREE, BEST = "free flow", "measured later (the best possible)"


@dataclass(frozen=True)
class Trips:
    """Minutes of every trip by the way of each rule, one seed and wait."""

    wait: int
    minutes: dict[str, Doubles]


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
    return Seed(seed, found.error, trips, list(detours(found)))


def _trips(found: Forecasts, seed: int, wait: int) -> Trips:
    values_TN = freeways().panel.values_TNF[:, :, 0]
    free = travel(np.percentile(values_TN[:LEARNED], 85, axis=0)[:, None])
    usual_TN = usual_speeds()
    rng = np.random.default_rng([seed, 7])  # the same trips for every wait
    origins = [o for o in sorted(found.by_origin) if _in_peak(o)]
    minutes: dict[str, list[float]] = {FREE: [], PRESENT: [], TYPICAL: [], FORECAST: [], BEST: []}
    for origin in rng.choice(origins, DEPARTURES).tolist():
        leaves = origin + wait
        hours = np.arange(leaves, leaves + HORIZON - wait) % DAY
        truth = travel(values_TN[leaves : origin + HORIZON].T)
        ways = {
            FREE: free,
            PRESENT: travel(values_TN[origin - 1][:, None]),
            TYPICAL: travel(usual_TN[hours].T),
            FORECAST: travel(found.by_origin[origin][:, wait:]),
            BEST: truth,
        }
        for start, end in _pairs(free, rng):
            for name, by in ways.items():
                way = by.fastest(start, [end])[end]
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
        "beside the usual way (that of free flow). Fed with present or usual speeds for its "
        "forecast, the service knows no past errors. Ways sought as before: around where a jam "
        "began alone, from 2 minutes saved on; the search of now (also around its three slowest "
        "places, from half a minute on, around jams of the next half hour) was chosen on Sunday "
        "and Monday.",
        "",
        *DETOUR_HEAD,
    ]
    for index, first in enumerate(found[0].detours):
        lines.append(detour_row(first.by, [one.detours[index] for one in found]))
    return "\n".join(lines)


DETOUR_HEAD = (
    "| by | detours a decision | promised, min | saved, min | saved a decision, min "
    "| longer than the usual way |",
    "|---|---:|---:|---:|---:|---:|",
)


def detour_row(by: str, own: Sequence[Detours]) -> str:
    """A way of finding detours in a table, one of each seed."""
    cells = (
        spread([len(one.saved) / len(one.origins) for one in own], 2),
        spread([float(np.mean(one.promised)) for one in own], 1),
        spread([float(np.mean(one.saved)) for one in own], 1),
        spread([one.a_decision.score for one in own], 2),
        spread([100 * float((np.array(one.saved) < 0).mean()) for one in own], 1, " %"),
    )
    return f"| {by} | {' | '.join(cells)} |"


def _trip_cells(each: list[dict[str, Doubles]], name: str) -> str:
    present = [minutes[name] - minutes[PRESENT] for minutes in each]
    cells = [
        spread([float(minutes[name].mean()) for minutes in each], 2),
        spread([float((minutes[FREE] - minutes[name]).mean()) for minutes in each], 2),
        spread([100 * float((one >= _MATTERS).mean()) for one in present], 1, " %"),
        spread([100 * float((one <= -_MATTERS).mean()) for one in present], 1, " %"),
    ]
    return " | ".join(cells)
