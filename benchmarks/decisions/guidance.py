"""Parking guidance: cars that ask where to park, sent by plan and let drive.

At each origin of the day some cars ask for spaces near one place within the next two hours.
They come on top of those recorded: what was free then is theirs to take, until somebody has.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from benchmarks.decisions.day_scores import DayScores
from benchmarks.decisions.driving import NOTHING, PACE, minutes
from benchmarks.decisions.forecasts import forecasts, service_of, spread
from benchmarks.decisions.summary import Verdict
from deepcity.applications.application import Baseline
from deepcity.applications.decision import Decision
from deepcity.applications.state import State
from deepcity.applications.tasks.known_places import decide_where_known
from deepcity.applications.tasks.plan_scores import NearestPlace, invented_requests, plan_score
from deepcity.city.arrays import Floats
from deepcity.city.clock import DAY_S
from deepcity.parties.party import Party
from deepcity.runs.decisions import MethodForecasts

LOADS = (20, 100, 300)
"""Cars that ask at one origin."""
HOURS = range(8, 20)
Decide = Callable[[State], Decision]


@dataclass(frozen=True)
class Plan:
    """A way to send cars: by whose forecast, and how it decides."""

    forecast: str
    decide: Decide


@dataclass(frozen=True)
class Row:
    """One plan at one load, one seed.

    Attributes:
        found: share of cars that found a space.
        promised: mean certainty of the plan; NaN where it has none.
        walk_m: mean walk of those who found one.
        minutes: a car, by day, until its driver is there; who finds a lot full drives on.
    """

    city: str
    plan: str
    load: int
    seed: int
    found: float
    promised: float
    walk_m: float
    cars: int
    minutes: DayScores


def plans() -> dict[str, Plan]:
    """What is compared; only the first three look at past errors."""
    guidance = service_of("parking").application.decide
    now = Baseline.PERSISTENCE.value
    return {
        "guidance, learned together": Plan("learned together", guidance),
        "guidance, alone": Plan("alone", guidance),
        "guidance, persistence": Plan(now, guidance),
        "guidance, last week": Plan(Baseline.SAME_HOUR_LAST_WEEK.value, guidance),
        "free now, counted down": Plan(now, NearestPlace(least_free=1, count_down=True)),
        "free now": Plan(now, NearestPlace(least_free=1)),
        "nearest lot": Plan(now, NearestPlace()),
    }


def rows(seed: int) -> Iterator[Row]:
    """Every plan and load of one seed, of cities whose lots have positions."""
    for found in forecasts(service_of("parking"), seed, _placed):
        party = next(iter(found.values())).party
        for load in LOADS:
            for name, plan in plans().items():
                yield _row(party, found[plan.forecast], name, plan, load, seed)


def _placed(party: Party) -> bool:
    return sum(place.lat is not None for place in party.panel.places) > 1


def _row(
    party: Party, forecasts: MethodForecasts, name: str, plan: Plan, load: int, seed: int
) -> Row:
    rng = np.random.default_rng([seed, load])  # the same cars for every plan
    asked, found, walked, promised, spent = 0, 0, 0.0, [], []
    for index in _daytime(party):
        requests = invented_requests(party.panel.places, load, forecasts.steps, rng)
        truth_NH = party.test.truth_BNH[index]
        state = _where_measured(forecasts.state(index, requests), truth_NH)
        decision = decide_where_known(plan.decide, state)
        score = plan_score(state, decision, truth_NH)
        asked, found = asked + score.asked, found + score.found
        walked += score.walked_m
        promised.append(decision.certainty)
        day = int(state.now_s // DAY_S)
        spent.append((day, *minutes(state, decision, truth_NH)))
    certain = float(np.mean(promised)) if "guidance" in name else float("nan")
    share, walk = found / asked, walked / max(found, 1)
    return Row(party.city, name, load, seed, share, certain, walk, asked, _by_day(spent))


def _where_measured(state: State, truth_NH: Floats) -> State:
    """Lots that were not measured then are closed to every plan."""
    unknown_N = ~np.isfinite(truth_NH[:, : state.forecast_NH.shape[1]]).all(axis=1)
    return replace(state, forecast_NH=np.where(unknown_N[:, None], np.nan, state.forecast_NH))


def _by_day(spent: list[tuple[int, float, int]]) -> DayScores:
    """Minutes a car: of days, minutes of all their cars, and the number of these."""
    day_B, minutes_B, cars_B = (np.array(one) for one in zip(*spent, strict=True))
    mean_B = minutes_B / np.where(cars_B > 0, cars_B, np.nan)
    return DayScores.of(day_B, mean_B, cars_B.astype(np.float64))


def _daytime(party: Party) -> Iterator[int]:
    zone = ZoneInfo(party.panel.clock.time_zone)
    for index, origin in enumerate(party.test_origins):
        moment = datetime.fromtimestamp(int(party.panel.time_T[origin]), zone)
        if moment.hour in HOURS:
            yield index


def text(found: list[Row]) -> str:
    """The table as Markdown."""
    seeds = sorted({row.seed for row in found})
    cities = sorted({row.city for row in found})
    cars = {row.load: row.cars for row in found}
    lines = [
        "## Parking guidance: where to send drivers",
        "",
        f"`python -m benchmarks.decisions --seeds {','.join(map(str, seeds))}`. Four cities learn "
        f"together; drivers are sent in {', '.join(cities)}, the only one whose lots have "
        "positions. Every 45 minutes from 8 to 20 o'clock of the last 14 days, so many cars ask "
        "for a space near one place (about 200 m from a random lot), arriving within the next two "
        "hours, on top of those recorded; lots not measured then are closed. 'Found': at the lot "
        "they are sent to. Guidance: the lot with the least time to expect, by the errors of 7 "
        "validation days, counting those sent before. 'Free now' looks at today's free spaces when "
        "the driver asks. Mean ± "
        "standard deviation over seeds (of networks and of cars); walks in metres as the crow "
        "flies, of those who found a space. Until there: minutes of all drivers from the lot they "
        "are sent to until they are where they want to go: who finds it full loses "
        f"{PACE.full:g} minutes, drives on to the nearest not yet tried ({PACE.drive_m * 0.06:.0f} "
        f"km/h), and walks from there ({PACE.walk_m * 0.06:.1f} km/h); {NOTHING:g} minutes "
        "without any. The operators report hardly any lot as full, so 'free "
        "now' passes by none: it is the nearest lot unless it is counted down. "
        f"Cars evaluated: {max(cars.values()):,} at most a row and seed.",
        "",
        "| cars that ask | plan | found a space | promised | walk, m | until there, min |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    for load in LOADS:
        for name in plans():
            own = [row for row in found if (row.load, row.plan) == (load, name)]
            share = spread([100 * row.found for row in own], 1, " %")
            promised = spread([100 * row.promised for row in own], 1, " %")
            walk = spread([row.walk_m for row in own], 0)
            there = spread([row.minutes.score for row in own])
            lines.append(f"| {load} | {name} | {share} | {promised} | {walk} | {there} |")
    return "\n".join(lines)


def verdicts(found: list[Row]) -> Iterator[Verdict]:
    """By minutes until there, at every load; rules and naive forecasts are baselines."""
    ours = ("guidance, learned together", "guidance, alone")
    for city in sorted({row.city for row in found}):
        for load in LOADS:
            by_plan: dict[str, list[DayScores]] = {}
            for row in found:
                if (row.city, row.load) == (city, load):
                    by_plan.setdefault(row.plan, []).append(row.minutes)
            case = f"parking guidance, {city}: {load} cars"
            yield Verdict.of(case, "minutes until there", by_plan, ours, more=False, digits=2)
