"""Patrols: the share of offences in the cells that are patrolled, by each way to choose them.

Beside it, what patrols do to records: the plan made day after day from records to which only
patrolled cells add, against the same from all that happened.

Shapes: T days, N cells.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.decisions.day_scores import DayScores
from benchmarks.decisions.forecasts import forecasts, service_of, spread
from benchmarks.decisions.summary import Verdict
from deepcity.applications.application import Baseline
from deepcity.applications.decision import Decision
from deepcity.applications.state import State
from deepcity.applications.tasks.patrol import COUNTED_DAYS, PatrolCells, top
from deepcity.applications.tasks.patrol_scores import (
    MostCounted,
    PatrolOutcome,
    PatrolScores,
    patrol_scores,
)
from deepcity.city.arrays import Doubles
from deepcity.runs.decisions import MethodForecasts

Decide = Callable[[State], Decision]
OURS = ("learned together", "alone")
COUNTED = "last 90 days' counts"
A_YEAR = "last year's counts"
HINDSIGHT = "best fixed cells, in hindsight"
_TENTH = 0.1


@dataclass(frozen=True)
class Row:
    """One party, one method, one seed.

    Attributes:
        hits: the hit rate by day.
        drift: only of the counts: concentration before, after 92 days in which all cells report,
            and after as many in which patrolled ones alone do.
    """

    party: str
    method: str
    seed: int
    cells: int
    patrols: int
    scores: PatrolScores
    hits: DayScores
    drift: tuple[float, float, float] | None = None


def methods(decide: PatrolCells) -> dict[str, tuple[str, Decide]]:
    """Method -> by whose forecast, and how it decides."""
    return {
        "learned together": ("learned together", decide),
        "alone": ("alone", decide),
        "ours, by the typical day": (Baseline.TYPICAL_DAY.value, decide),
        "ours, by yesterday": (Baseline.SAME_HOUR_YESTERDAY.value, decide),
        COUNTED: ("alone", MostCounted(decide)),
        A_YEAR: ("alone", MostCounted(decide, days=365)),
    }


def rows(seed: int) -> Iterator[Row]:
    """Every party and method of one seed."""
    service = service_of("crime")
    decide = service.application.decide
    assert isinstance(decide, PatrolCells)
    for found in forecasts(service, seed, lambda _party: True):
        for method, (forecast, plan) in methods(decide).items():
            yield _row(found[forecast], method, plan, decide, seed)
        yield _hindsight(found["alone"], decide, seed)


def _row(one: MethodForecasts, method: str, plan: Decide, decide: PatrolCells, seed: int) -> Row:
    party, outcomes = one.party, []
    for index in range(len(party.test_origins)):
        state = one.state(index)
        outcomes.append(PatrolOutcome.of(state, plan(state), party.test.truth_BNH[index]))
    patrols = int(outcomes[0].patrols_N.sum())
    values_TN = np.asarray(party.inputs.values_TN, np.float64)
    drift = recorded(values_TN, party.test_origins[0], patrols) if method == COUNTED else None
    cells = len(party.panel.places)
    return Row(
        party.name, method, seed, cells, patrols, patrol_scores(outcomes), _hits(outcomes), drift
    )


def _hindsight(one: MethodForecasts, decide: PatrolCells, seed: int) -> Row:
    """The most that the same cells, every day, could have had."""
    party = one.party
    counts_BN = np.nan_to_num(party.test.truth_BNH[..., : one.steps].astype(np.float64)).sum(axis=2)
    patrols = decide.count(one.state(0))
    chosen_N = top(counts_BN.sum(axis=0)[None], patrols)[0].astype(np.int64)
    outcomes = [PatrolOutcome(chosen_N, counts_N) for counts_N in counts_BN]
    cells, scores = len(party.panel.places), patrol_scores(outcomes)
    return Row(party.name, HINDSIGHT, seed, cells, patrols, scores, _hits(outcomes))


def _hits(outcomes: Sequence[PatrolOutcome]) -> DayScores:
    """The hit rate of plans that follow one another, a day each."""
    served = [float(one.counts_N[one.patrols_N > 0].sum()) for one in outcomes]
    return DayScores(np.array(served), np.array([float(one.counts_N.sum()) for one in outcomes]))


def recorded(values_TN: Doubles, start: int, patrols: int) -> tuple[float, float, float]:
    """Share of the records of 90 days in the tenth of cells with most of them: at the start, and at
    the end with all cells reporting, and with patrolled cells alone.

    Args:
        values_TN: all that happened.
        start: the first day of patrols, which go to the cells with most records.
    """
    seen_TN = values_TN.copy()
    for day in range(start, len(values_TN)):
        counts_N = seen_TN[day - COUNTED_DAYS : day].sum(axis=0)
        seen_TN[day, ~top(counts_N[None], patrols)[0]] = 0.0
    first = slice(start - COUNTED_DAYS, start)
    last = slice(len(values_TN) - COUNTED_DAYS, len(values_TN))
    return (
        _concentration(values_TN[first]),
        _concentration(values_TN[last]),
        _concentration(seen_TN[last]),
    )


def _concentration(values_TN: Doubles) -> float:
    total_N = values_TN.sum(axis=0)
    tenth = max(1, round(_TENTH * len(total_N)))
    return float(np.sort(total_N)[::-1][:tenth].sum() / total_N.sum())


def text(found: list[Row]) -> str:
    """The table as Markdown."""
    seeds = ",".join(map(str, sorted({row.seed for row in found})))
    lines = [
        "## Crime prevention: where patrols go",
        "",
        f"`python -m benchmarks.decisions --seeds {seeds}`. Offences a day in cells about 1 km "
        "wide; each of the last 92 days, 5 % of the cells are patrolled, chosen the day before. "
        "Two kinds in each of two cities learn together, by squared errors alone. Hit rate: share "
        "of offences in patrolled cells; PAI: that over the share of cells patrolled (Chainey, "
        "Tompson & Uhlig 2008). Ours choose by the counts of two years, newer ones counting more, "
        "and a tenth by a forecast, learned or naive; how far the counts go back was chosen on "
        "the 240 days before. What they gain over 90 days' counts, a year's counts gain alone. The "
        "best fixed cells in hindsight are all that could be had but for days that differ. Burden: "
        "shares of all patrols, and of all offences, in the most patrolled tenth of cells. Records "
        "are not crimes: none of this shows that a patrol prevents anything. Mean ± standard "
        "deviation over seeds.",
        "",
        "| city and kind | chosen by | hit rate | PAI | burden: patrols | burden: offences |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for party in dict.fromkeys(row.party for row in found):
        for method in dict.fromkeys(row.method for row in found):
            own = [row.scores for row in found if (row.party, row.method) == (party, method)]
            cells = [
                spread([100 * one.hit_rate for one in own], 2, " %"),
                spread([one.pai for one in own], 2),
                spread([100 * one.patrol_share for one in own], 1, " %"),
                spread([100 * one.count_share for one in own], 1, " %"),
            ]
            lines.append(f"| {party} | {method} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *_drift_lines(found)])


def _drift_lines(found: list[Row]) -> list[str]:
    drifts = {row.party: row for row in found if row.drift is not None}
    return [
        "What patrols do to records: the patrols of each day go to the cells with most records of "
        "90 days. Share of these records in the tenth of cells that has most, before, and after "
        "the 92 days where every cell reports, and where patrolled cells alone do.",
        "",
        "| city and kind | cells | patrols | before | after, all | after, patrolled alone |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {party} | {row.cells} | {row.patrols} | "
            + " | ".join(f"{100 * share:.0f} %" for share in row.drift or ())
            + " |"
            for party, row in drifts.items()
        ),
    ]


def verdicts(found: list[Row]) -> Iterator[Verdict]:
    """By hit rate against the counts of 90 days, for every city and kind: what is ours with a naive
    forecast is no baseline, and a year's counts are what was learned here.
    """
    for party in dict.fromkeys(row.party for row in found):
        by_method: dict[str, list[DayScores]] = {}
        for row in found:
            if row.party == party and row.method in (*OURS, COUNTED):
                by_method.setdefault(row.method, []).append(row.hits)
        case = f"crime prevention, {party}"
        yield Verdict.of(case, "hit rate", by_method, OURS, more=True, digits=4)
