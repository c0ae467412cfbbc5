"""What decisions would have been worth over a party's test days, by the method that forecasts.

Warnings are scored by every method's own errors on the validation days. For a plan, cars are
invented: at origins of the day, so many ask for a space near one place.

Shapes: B origins, N places, H horizon steps.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from deepcity.applications.application import Application, Baseline
from deepcity.applications.decision import Decision
from deepcity.applications.state import State
from deepcity.applications.tasks.alert import WarnAbove
from deepcity.applications.tasks.alert_scores import back_test, mean_cost
from deepcity.applications.tasks.crowding import RATIO, WarnAboveOwnLimit
from deepcity.applications.tasks.patrol import PatrolCells
from deepcity.applications.tasks.peak import PeakOfDay
from deepcity.applications.tasks.plan import LeastExpectedTime
from deepcity.applications.tasks.plan_scores import NearestPlace, invented_requests, plan_score
from deepcity.city.arrays import Floats, Ints
from deepcity.city.level import ALONE as ALONE_LEVEL
from deepcity.intercity.level_choice import LevelChoice
from deepcity.learning.training.learner import Learner
from deepcity.parties.method_errors import ALONE, AUTOMATIC
from deepcity.parties.party import Party
from deepcity.runs.decisions import Both, MethodForecasts, naive_both
from deepcity.runs.service_scores import Scores, patrol_table, peak_table, spread_evenly

NEAREST, FREE_NOW, COUNTED = "nearest", "free_now", "free_now_counted"
CARS = 100
"""Cars that ask at one origin of a plan's back-test."""
EXAMPLE_CARS = 12
_HOURS = range(8, 20)
_SCORED = (WarnAbove, WarnAboveOwnLimit, LeastExpectedTime, PeakOfDay, PatrolCells)


@dataclass(frozen=True, eq=False)
class DecisionForecasts:
    """A party's forecasts by method, up to its application's horizon."""

    application: Application
    party: Party
    by_method: Mapping[str, MethodForecasts]

    @staticmethod
    def of(
        application: Application,
        party: Party,
        choice: LevelChoice,
        test_BNH: Floats,
        alone: Learner,
    ) -> "DecisionForecasts":
        """Of the choice, of learning alone, and of the baselines to beat.

        Args:
            test_BNH: the choice's forecasts of the test days.
        """
        ours = {AUTOMATIC: (choice.validation.forecast_BNH, test_BNH)}
        if not isinstance(application.decide, _SCORED):
            return DecisionForecasts.with_naive(application, party, ours, {})
        ours[ALONE] = _by_itself(party, choice, alone)
        return DecisionForecasts.with_naive(application, party, ours, naive_both(party))

    @staticmethod
    def with_naive(
        application: Application,
        party: Party,
        ours: Mapping[str, Both],
        naive: Mapping[str, Both],
    ) -> "DecisionForecasts":
        """Of learned forecasts, beside which naive ones are weighed, and of these themselves."""
        by_method = {
            name: MethodForecasts.of(application, party, both, naive) for name, both in ours.items()
        }
        by_method |= {
            name: MethodForecasts.of(application, party, both) for name, both in naive.items()
        }
        return DecisionForecasts(application, party, by_method)

    def last(self) -> Decision:
        """The decision at the last of the test origins; a plan has no requests there."""
        last = len(self.party.test_origins) - 1
        return self.application.decide(self.by_method[AUTOMATIC].state(last))

    def scores(self) -> Scores:
        """Method -> scores; empty where the task has none, or nothing to score by."""
        match self.application.decide:
            case WarnAbove() | WarnAboveOwnLimit() as alert:
                return self._alert(alert)
            case LeastExpectedTime() as guidance if self._placed():
                return self._plan(guidance)
            case PeakOfDay() as peak:
                return peak_table(peak, self.by_method)
            case PatrolCells() as patrols:
                return patrol_table(patrols, self.by_method)
        return {}

    def example(self) -> Decision | None:
        """A plan for a few invented cars at the last origin of a day; None for other tasks."""
        if not isinstance(self.application.decide, LeastExpectedTime) or not self._placed():
            return None
        index = self._daytime()[-1]
        return self.application.decide(self._state(AUTOMATIC, index, EXAMPLE_CARS))

    def _alert(self, alert: WarnAbove | WarnAboveOwnLimit) -> Scores:
        party, found = self.party, {}
        for method in (AUTOMATIC, ALONE, *(one.value for one in self.application.baselines)):
            one = self.by_method[method]
            past, steps, unit, warning = one.past, one.steps, party.unit, alert
            limit_N1: Floats = np.ones((1, 1), np.float32)
            if isinstance(warning, WarnAboveOwnLimit):
                places = party.panel.places
                unit, limit_N1 = RATIO, warning.limits_N(places, past)[:, None]
                past, warning = warning.ratios(places, past), warning.of_ratios
            scores, cost_BNH = back_test(
                warning,
                unit,
                past,
                one.test_BNH[..., :steps] / limit_N1,
                party.test.truth_BNH[..., :steps] / limit_N1,
                party.test_origins,
                party.panel.clock.step_s / 3600,
                {name: found_BNH[..., :steps] / limit_N1 for name, found_BNH in one.others.items()},
            )
            found[method] = {"cost": mean_cost(cost_BNH), **asdict(scores)}
        return found

    def _plan(self, guidance: LeastExpectedTime) -> Scores:
        now = Baseline.PERSISTENCE.value
        plans: dict[str, tuple[str, Callable[[State], Decision]]] = {
            AUTOMATIC: (AUTOMATIC, guidance),
            ALONE: (ALONE, guidance),
            NEAREST: (now, NearestPlace()),
            FREE_NOW: (now, NearestPlace(least_free=1)),
            COUNTED: (now, NearestPlace(least_free=1, count_down=True)),
        }
        indices = spread_evenly(self._daytime().tolist())
        found = {}
        for name, (method, decide) in plans.items():
            scores = []
            for index in indices:
                state = self._state(method, int(index), CARS)
                truth_NH = self.party.test.truth_BNH[index]
                scores.append(plan_score(state, decide(state), truth_NH))
            asked, parked = sum(one.asked for one in scores), sum(one.found for one in scores)
            found[name] = {
                "found": parked / asked if asked else float("nan"),
                "walk_m": sum(o.walked_m for o in scores) / parked if parked else float("nan"),
                "cars": float(asked),
            }
        return found

    def _state(self, method: str, index: int, cars: int) -> State:
        rng = np.random.default_rng([index, cars])  # the same cars for every plan
        found = self.by_method[method]
        requests = invented_requests(self.party.panel.places, cars, found.steps, rng)
        return found.state(index, requests)

    def _placed(self) -> bool:
        """Whether there are places to choose from."""
        return sum(place.lat is not None for place in self.party.panel.places) > 1

    def _daytime(self) -> Ints:
        """Test origins of the day by position; all where none is."""
        zone = ZoneInfo(self.party.panel.clock.time_zone)
        hours = [
            datetime.fromtimestamp(int(self.party.panel.time_T[origin]), zone).hour
            for origin in self.party.test_origins
        ]
        found = np.flatnonzero(np.isin(hours, list(_HOURS)))
        return found if len(found) else np.arange(len(hours))


def _by_itself(party: Party, choice: LevelChoice, alone: Learner) -> tuple[Floats, Floats]:
    """Learning alone: the ensemble of its own experts, where these are more than the network."""
    ensemble = choice.alone
    if {level for level, _ in choice.experts} == {ALONE_LEVEL} and len(choice.experts) > 1:
        ensemble = choice
    if ensemble is None:
        return alone.forecast(party.data.validation), alone.forecast(party.test)
    return ensemble.validation.forecast_BNH, ensemble.forecast(party).forecast_BNH
