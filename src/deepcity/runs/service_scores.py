"""What decisions on peaks and patrols would have been worth, by the method that forecasts.

Shapes: B origins, N places, H horizon steps.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict

from deepcity.applications.application import Baseline
from deepcity.applications.decision import Decision
from deepcity.applications.state import State
from deepcity.applications.tasks.patrol import PatrolCells
from deepcity.applications.tasks.patrol_scores import MostCounted, PatrolOutcome, patrol_scores
from deepcity.applications.tasks.peak import PeakOfDay
from deepcity.applications.tasks.peak_scores import HighestForecast, PeakScores, peak_score
from deepcity.city.arrays import Floats
from deepcity.parties.method_errors import ALONE, AUTOMATIC
from deepcity.runs.decisions import MethodForecasts

MOST_COUNTED = "most_counted"
_MAX_ORIGINS = 60
_ONE_AFTER_ANOTHER = (Baseline.SAME_HOUR_YESTERDAY, Baseline.SAME_HOUR_LAST_WEEK)

Decide = Callable[[State], Decision]
Scores = dict[str, dict[str, float]]


def peak_table(decide: PeakOfDay, by_method: Mapping[str, MethodForecasts]) -> Scores:
    """Scores of peaks by the own forecasts, and of the peak of yesterday and of last week."""
    ways: dict[str, tuple[str, Decide]] = {AUTOMATIC: (AUTOMATIC, decide), ALONE: (ALONE, decide)}
    ways |= {one.value: (one.value, HighestForecast()) for one in _ONE_AFTER_ANOTHER}
    found = {}
    for name, (method, way) in ways.items():
        scores = [
            score
            for state, truth_NH in _states(by_method[method])
            if (score := peak_score(state, way(state), truth_NH, decide.near_hours)) is not None
        ]
        found[name] = {"peaks": float(len(scores)), **asdict(PeakScores.mean(scores))}
    return found


def patrol_table(decide: PatrolCells, by_method: Mapping[str, MethodForecasts]) -> Scores:
    """Scores of patrols by the own forecasts, and by the counts of the last 90 days."""
    ways: dict[str, tuple[str, Decide]] = {
        AUTOMATIC: (AUTOMATIC, decide),
        ALONE: (ALONE, decide),
        MOST_COUNTED: (ALONE, MostCounted(decide)),
    }
    found = {}
    for name, (method, way) in ways.items():
        outcomes = [
            PatrolOutcome.of(state, way(state), truth_NH)
            for state, truth_NH in _states(by_method[method])
        ]
        found[name] = {key: float(one) for key, one in asdict(patrol_scores(outcomes)).items()}
    return found


def spread_evenly(indices: Sequence[int]) -> Sequence[int]:
    """At most 60 of them, an even share."""
    return indices[:: max(1, -(-len(indices) // _MAX_ORIGINS))]


def _states(found: MethodForecasts) -> Iterator[tuple[State, Floats]]:
    """The state at each origin, of 60 at most, with what came."""
    for index in spread_evenly(range(len(found.party.test_origins))):
        yield found.state(index), found.party.test.truth_BNH[index, :, : found.steps]
