"""Air warning, hour by hour over the test days, from each method's forecasts.

Every method's forecast becomes a probability by its own errors on the validation days, and
warns from the cutoff that costs least there: methods differ in their forecasts alone. Beside
them the plain rule: warn while it is above the limit now.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.decisions.forecasts import Forecasts, forecasts, service_of, spread
from deepcity.applications.application import Application, Baseline
from deepcity.applications.tasks.alert import WarnAbove
from deepcity.applications.tasks.alert_scores import (
    AlertScores,
    alert_scores,
    back_test,
    mean_cost,
)

NOW = "above now: warn"
METHODS = ("learned together", "alone", Baseline.PERSISTENCE, Baseline.TYPICAL_DAY, NOW)


@dataclass(frozen=True)
class Row:
    """One city, one method, one seed."""

    city: str
    method: str
    seed: int
    scores: AlertScores
    cost: float


def rows(seed: int) -> Iterator[Row]:
    """Every city and method of one seed."""
    service = service_of("air")
    for found in forecasts(service, seed, lambda _party: True):
        yield from _city(service.application, found, seed)


def _city(application: Application, found: Mapping[str, Forecasts], seed: int) -> Iterator[Row]:
    alert = application.decide
    assert isinstance(alert, WarnAbove)
    for method in METHODS:
        one = found[Baseline.PERSISTENCE if method == NOW else method]
        party, truth_BNH = one.party, one.party.test.truth_BNH
        origins_B, hours = party.test_origins, party.panel.clock.step_s / 3600
        if method == NOW:
            level = alert.level(party.unit)
            warned_BNH = one.test_BNH > level
            sure = warned_BNH.astype(np.float64)
            scores = alert_scores(sure, warned_BNH, truth_BNH, level, origins_B, hours)
            cost = mean_cost(alert, party.unit, warned_BNH, truth_BNH)
        else:
            scores, cost = back_test(
                alert, party.unit, one.past, one.test_BNH, truth_BNH, origins_B, hours
            )
        yield Row(party.city, str(method), seed, scores, cost)


def text(found: list[Row]) -> str:
    """The table as Markdown."""
    costs = service_of("air").application.decide.costs  # type: ignore[attr-defined]
    seeds = sorted({row.seed for row in found})
    lines = [
        "## Air warning: PM2.5 above 75 ug/m3 in the next 24 hours",
        "",
        f"`python -m benchmarks.decisions --seeds {','.join(map(str, seeds))}`. Three cities, "
        "every third hour of the last 60 days (November and December 2015), each of the 24 hours "
        "ahead at each monitor; 60 validation days before them. A forecast becomes a probability "
        "by its own errors (ratios) on the validation days, and warns from the cutoff that costs "
        f"least there, a missed hour costing {costs.miss:g} and one warned of in vain "
        f"{costs.false_alarm:g}; so for every method but the last. Mean ± standard deviation over "
        "seeds; cost a step; lead: hours of unbroken warning before an event came, 0 if missed, "
        "24 at most. Best in bold.",
        "",
        "| city | method | cost | CSI | hit rate | false alarm ratio | lead, h | Brier | events |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for city in dict.fromkeys(row.city for row in found):
        by_method = {
            str(method): [_values(r) for r in found if (r.city, r.method) == (city, str(method))]
            for method in METHODS
        }
        for method, values in by_method.items():
            cells = [_cell(by_method, values, key) for key in _BETTER]
            events = f"{values[0]['events']:.0f}"
            name = method.replace("_", " ")
            lines.append(f"| {city} | {name} | {' | '.join(cells)} | {events} |")
    return "\n".join(lines)


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
    return {**asdict(row.scores), "cost": row.cost}


def _cell(
    by_method: Mapping[str, list[dict[str, float]]], values: list[dict[str, float]], key: str
) -> str:
    own = [value[key] for value in values]
    means = [np.mean([value[key] for value in other]) for other in by_method.values()]
    known = [mean * _BETTER[key] for mean in means if np.isfinite(mean)]
    text = spread(own, 1 if key == "lead_hours" else 3)
    best = bool(known) and np.isclose(np.mean(own) * _BETTER[key], max(known))
    return f"**{text}**" if best else text
