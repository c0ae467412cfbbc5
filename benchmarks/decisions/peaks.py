"""The peak of the day: its height, its hour, and who carries it, by each method's forecasts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np

from benchmarks.decisions.day_scores import DayScores
from benchmarks.decisions.forecasts import forecasts, service_of, spread
from benchmarks.decisions.summary import Verdict
from deepcity.applications.application import Baseline
from deepcity.applications.decision import Decision
from deepcity.applications.state import State
from deepcity.applications.tasks.peak_scores import HighestForecast, PeakScores, peak_score
from deepcity.runs.decisions import MethodForecasts

Decide = Callable[[State], Decision]
OURS = ("learned together", "alone")
MAPS = ("electricity", "charging")
MEASURED = {
    "height_error": "height, error",
    "hours_off": "hours off",
    "near": "within 1 h",
    "promised": "promised",
    "covered": "in the 90 % band",
    "carried": "excess at those asked",
}
_NOT_SCORED = PeakScores(*[float("nan")] * 6)
_SHARES = ("height_error", "near", "promised", "covered", "carried")


@dataclass(frozen=True)
class Row:
    """One party, one method, one seed.

    Attributes:
        scores, days: means over all days; and day by day, in order of time.
    """

    city: str
    method: str
    seed: int
    scores: PeakScores
    days: tuple[PeakScores, ...]

    def by_day(self, name: str) -> DayScores:
        """One of the scores by day."""
        value_D = np.array([getattr(one, name) for one in self.days])
        return DayScores.of(np.arange(len(value_D)), value_D)


def methods(decide: Decide) -> dict[str, tuple[str, Decide]]:
    """Method -> by whose forecast, and how it decides; the last two look at no past error."""
    yesterday, last_week = Baseline.SAME_HOUR_YESTERDAY.value, Baseline.SAME_HOUR_LAST_WEEK.value
    return {
        "learned together": ("learned together", decide),
        "alone": ("alone", decide),
        "typical day, with errors": (Baseline.TYPICAL_DAY.value, decide),
        "yesterday, with errors": (yesterday, decide),
        "as yesterday": (yesterday, HighestForecast()),
        "as last week": (last_week, HighestForecast()),
    }


def rows(seed: int) -> Iterator[Row]:
    """Every city and method of one seed."""
    for name in MAPS:
        service = service_of(name)
        for found in forecasts(service, seed, lambda _party: True):
            for method, (forecast, decide) in methods(service.application.decide).items():
                yield _row(found[forecast], method, decide, seed)


def _row(one: MethodForecasts, method: str, decide: Decide, seed: int) -> Row:
    party, scores = one.party, []
    for index in range(len(party.test_origins)):
        state = one.state(index)
        found = peak_score(state, decide(state), party.test.truth_BNH[index])
        scores.append(found or _NOT_SCORED)
    return Row(party.city, method, seed, PeakScores.mean(scores), tuple(scores))


def text(found: list[Row]) -> str:
    """The table as Markdown."""
    seeds = ",".join(map(str, sorted({row.seed for row in found})))
    heads = " | ".join(MEASURED.values())
    lines = [
        "## Electricity: the peak of the day",
        "",
        f"`python -m benchmarks.decisions --seeds {seeds}`. Each midnight of July and August 2017, "
        "for the 24 hours to come: the load of Chicago's, Pittsburgh's and Tetouan's grids, which "
        "learn together (Tetouan's records begin in 2017, with a month of Ramadan among the 61 "
        "validation days). In Johannesburg, 47 charging sites of one city learn alone, and "
        "the last 40 days are those of August and September 2023: their total's peak, and which "
        "3 sites carry most above their usual share ('excess at those asked': of what any 3 sites "
        "had at most). 'With errors' is the same decision by a naive forecast; 'as yesterday' and "
        "'as last week' are the height and hour of that day, and ask the 3 largest sites. Height: "
        "mean absolute error as a share of the height. Promised: mean certainty that the peak "
        "comes within an hour of the time named. Mean ± standard deviation over seeds.",
        "",
        f"| city | method | {heads} |",
        "|---|---|" + "---:|" * len(MEASURED),
    ]
    for city in dict.fromkeys(row.city for row in found):
        for method in dict.fromkeys(row.method for row in found):
            own = [asdict(row.scores) for row in found if (row.city, row.method) == (city, method)]
            cells = [_cell(name, [values[name] for values in own]) for name in MEASURED]
            lines.append(f"| {city} | {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(name: str, values: Sequence[float]) -> str:
    assert name in {one.name for one in fields(PeakScores)}
    if name in _SHARES:
        return spread([100 * value for value in values], 1, " %")
    return spread(list(values), 2)


def verdicts(found: list[Row]) -> Iterator[Verdict]:
    """By height and by hour in every city, and by who carries it where there are several."""
    for city in dict.fromkeys(row.city for row in found):
        for name, more, digits in (
            ("height_error", False, 3),
            ("near", True, 2),
            ("carried", True, 2),
        ):
            by_method: dict[str, list[DayScores]] = {}
            for row in found:
                if row.city == city:
                    by_method.setdefault(row.method, []).append(row.by_day(name))
            if np.isfinite(by_method[OURS[0]][0].score):
                case, score = f"electricity, {city}: {MEASURED[name]}", "share"
                yield Verdict.of(case, score, by_method, OURS, more=more, digits=digits)
