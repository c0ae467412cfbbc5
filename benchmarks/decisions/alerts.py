"""Warnings step by step over the test days, from each method's forecasts: air, and crowds.

Every method's forecast becomes a probability by its own errors on the validation days, and
warns from the cutoff that costs least there: methods differ in their forecasts alone. Beside
them the plain rule: warn while it is above the limit now.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.decisions.day_scores import DayScores
from benchmarks.decisions.forecasts import forecasts, service_of, spread
from benchmarks.decisions.summary import Verdict
from deepcity.applications.application import Baseline
from deepcity.applications.state import Past
from deepcity.applications.tasks.alert import WarnAbove
from deepcity.applications.tasks.alert_scores import (
    AlertScores,
    alert_scores,
    back_test,
    step_costs,
)
from deepcity.applications.tasks.crossing import Costs
from deepcity.applications.tasks.crowding import RATIO, WarnAboveOwnLimit
from deepcity.city.arrays import Doubles, Floats
from deepcity.city.clock import DAY_S
from deepcity.runs.decisions import MethodForecasts

NOW = "above now: warn"
OURS = ("learned together", "alone")
AIR = (*OURS, Baseline.PERSISTENCE, Baseline.TYPICAL_DAY, NOW)
CROWDS = (
    *OURS,
    Baseline.SAME_HOUR_YESTERDAY,
    Baseline.SAME_HOUR_LAST_WEEK,
    Baseline.PERSISTENCE,
    Baseline.TYPICAL_DAY,
    NOW,
)


@dataclass(frozen=True)
class Row:
    """One party, one method, one seed; `cost` is a step's."""

    city: str
    method: str
    seed: int
    scores: AlertScores
    cost: DayScores


@dataclass(frozen=True, eq=False)
class _Case:
    """What a method's warnings are scored by, in the unit of their limit."""

    alert: WarnAbove
    unit: str
    past: Past
    test_BNH: Floats
    truth_BNH: Floats
    others: Mapping[str, Floats]


def air(seed: int) -> Iterator[Row]:
    """Every city and method of one seed."""
    yield from _rows("air", AIR, seed)


def crowding(seed: int) -> Iterator[Row]:
    """Boardings and exits, by every method, of one seed."""
    yield from _rows("metro", CROWDS, seed)


def bus(seed: int) -> Iterator[Row]:
    """The same of bus stops."""
    yield from _rows("bus", CROWDS, seed)


def _rows(name: str, methods: Sequence[str], seed: int) -> Iterator[Row]:
    service = service_of(name)
    for found in forecasts(service, seed, lambda _party: True):
        for method in methods:
            one = found[Baseline.PERSISTENCE if method == NOW else method]
            yield _row(_case(service.application.decide, one), one, str(method), seed)


def _case(decide: object, one: MethodForecasts) -> _Case:
    party, past, unit = one.party, one.past, ""
    limit_N1: Floats = np.ones((1, 1), np.float32)
    if isinstance(decide, WarnAboveOwnLimit):
        unit, limit_N1 = RATIO, decide.limits_N(party.panel.places, past)[:, None]
        past, decide = decide.ratios(party.panel.places, past), decide.of_ratios
    assert isinstance(decide, WarnAbove)
    test_BNH, truth_BNH, *others = (
        found_BNH[..., : one.steps] / limit_N1
        for found_BNH in (one.test_BNH, party.test.truth_BNH, *one.others.values())
    )
    by_name = dict(zip(one.others, others, strict=True))
    return _Case(decide, unit or party.unit, past, test_BNH, truth_BNH, by_name)


def _row(case: _Case, one: MethodForecasts, method: str, seed: int) -> Row:
    party, alert = one.party, case.alert
    origins_B, hours = party.test_origins, party.panel.clock.step_s / 3600
    name = party.name if ":" in party.name else party.city
    if method != NOW:
        scores, cost_BNH = back_test(
            alert,
            case.unit,
            case.past,
            case.test_BNH,
            case.truth_BNH,
            origins_B,
            hours,
            case.others,
        )
        return Row(name, method, seed, scores, _daily(cost_BNH, one))
    level = alert.level(case.unit)
    warned_BNH = case.test_BNH > level
    sure = warned_BNH.astype(np.float64)
    scores = alert_scores(sure, warned_BNH, case.truth_BNH, level, origins_B, hours)
    cost_BNH = step_costs(alert, case.unit, warned_BNH, case.truth_BNH)
    return Row(name, method, seed, scores, _daily(cost_BNH, one))


def _daily(cost_BNH: Doubles, one: MethodForecasts) -> DayScores:
    """By the day of the forecast."""
    day_B = one.party.panel.time_T[one.party.test_origins] // DAY_S
    return DayScores.of(np.repeat(day_B, cost_BNH[0].size), cost_BNH.ravel())


_OF_ALL = (
    "A forecast becomes a probability by its own errors (ratios) on the validation days, and warns "
    "from the cutoff that costs least there but for noise, a missed {step} costing {costs.miss:g} "
    "and one warned of in vain {costs.false_alarm:g}; so for every method but the last. Those "
    "learned are weighed with naive ones, as in use. Mean ± standard deviation "
    "over seeds; cost a step; lead: hours of unbroken warning before an event came, 0 if missed, "
    "{most} at most. Best in bold."
)


def air_text(found: list[Row]) -> str:
    """The table of the air warning as Markdown."""
    intro = (
        "Three cities, every third hour of the last 365 days (2015), each of "
        "the 24 hours ahead at each monitor; 60 validation days before them. "
        + _OF_ALL.format(step="hour", costs=_costs("air"), most=24)
    )
    return _text("Air warning: PM2.5 above 75 ug/m3 in the next 24 hours", intro, AIR, found)


def crowding_text(found: list[Row]) -> str:
    """The table of the crowding warning as Markdown."""
    intro = (
        "276 stations of Beijing's metro, boardings and exits, every quarter of an hour of the "
        "last 7 weekdays, each of the 4 quarters ahead; 5 validation days before them, 13 to "
        "train on. A station's limit is the count that 5 % of its quarters on the validation days "
        "exceed, as no capacities are published. "
        + _OF_ALL.format(step="quarter", costs=_costs("metro"), most=1)
    )
    return _text("Crowding warning: a station above its own limit", intro, CROWDS, found)


def bus_text(found: list[Row]) -> str:
    """The table of bus stops as Markdown."""
    intro = (
        "97 bus stops of Salvador (Brazil) with over 1,000 boardings a day, boardings and exits, "
        "every quarter of an hour of the last 2 days (Thursday and Friday, 7 and 8 March 2024), "
        "each of the 4 quarters ahead; 2 validation days before them, 4 to train on, two of them "
        "a weekend: so few days are what was published by stop, and an interval by two days says "
        "little. Exits are estimates. A stop's "
        "limit is the count that 5 % of its quarters on the validation days exceed, as no "
        "capacities are published. " + _OF_ALL.format(step="quarter", costs=_costs("bus"), most=1)
    )
    return _text("Crowding warning: a bus stop above its own limit", intro, CROWDS, found)


def _costs(name: str) -> Costs:
    return service_of(name).application.decide.costs  # type: ignore[attr-defined, no-any-return]


def _text(title: str, intro: str, methods: Sequence[str], found: list[Row]) -> str:
    seeds = ",".join(map(str, sorted({row.seed for row in found})))
    lines = [
        f"## {title}",
        "",
        f"`python -m benchmarks.decisions --seeds {seeds}`. {intro}",
        "",
        "| city | method | cost | CSI | hit rate | false alarm ratio | lead, h | Brier | events |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for city in dict.fromkeys(row.city for row in found):
        by_method = {
            str(method): [_values(r) for r in found if (r.city, r.method) == (city, str(method))]
            for method in methods
        }
        for method, values in by_method.items():
            cells = [_cell(by_method, values, key) for key in _BETTER]
            events = f"{values[0]['events']:.0f}"
            name = method.replace("_", " ")
            lines.append(f"| {city} | {name} | {' | '.join(cells)} | {events} |")
    return "\n".join(lines)


def verdicts(service: str, found: list[Row]) -> Iterator[Verdict]:
    """By cost, in every city."""
    for city in dict.fromkeys(row.city for row in found):
        by_method: dict[str, list[DayScores]] = {}
        for row in found:
            if row.city == city:
                by_method.setdefault(row.method.replace("_", " "), []).append(row.cost)
        yield Verdict.of(f"{service}, {city}", "cost a step", by_method, OURS, more=False, digits=4)


_BETTER = {
    "cost": -1,
    "csi": 1,
    "hit_rate": 1,
    "false_alarm_ratio": -1,
    "lead_hours": 1,
    "brier": -1,
}
"""Score -> whether more is better."""


def _values(row: Row) -> dict[str, float]:
    return {**asdict(row.scores), "cost": row.cost.score}


def _cell(
    by_method: Mapping[str, list[dict[str, float]]], values: list[dict[str, float]], key: str
) -> str:
    own = [value[key] for value in values]
    means = [np.mean([value[key] for value in other]) for other in by_method.values()]
    known = [mean * _BETTER[key] for mean in means if np.isfinite(mean)]
    text = spread(own, 1 if key == "lead_hours" else 3)
    best = bool(known) and np.isclose(np.mean(own) * _BETTER[key], max(known))
    return f"**{text}**" if best else text
