"""From a party's forecasts to its application's decision.

Shapes: B origins, N places, H horizon steps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from deepcity.applications.application import Application
from deepcity.applications.state import KNOWN_DAYS, Past, Request, State
from deepcity.city.arrays import Floats
from deepcity.parties.method_errors import baseline_forecasts
from deepcity.parties.party import Party

Both = tuple[Floats, Floats]
"""Forecasts of the validation days, and of the test days."""


@dataclass(frozen=True, eq=False)
class MethodForecasts:
    """A party's forecasts by one method, for its application to decide from.

    Attributes:
        past: those of the validation days, up to the application's horizon, with what came.
        test_BNH: those of the test days.
        others: naive forecasts of the test days, which the method's decisions may be made from,
            too; none where the method is naive itself.
    """

    application: Application
    party: Party
    past: Past
    test_BNH: Floats
    others: Mapping[str, Floats] = field(default_factory=dict)

    @staticmethod
    def of(
        application: Application, party: Party, both: Both, naive: Mapping[str, Both] | None = None
    ) -> "MethodForecasts":
        """Of forecasts of both spans, beside naive ones."""
        before = {name: one[0] for name, one in (naive or {}).items()}
        after = {name: one[1] for name, one in (naive or {}).items()}
        past = past_of(application, party, both[0], before)
        return MethodForecasts(application, party, past, both[1], after)

    @property
    def steps(self) -> int:
        """Of the application's horizon."""
        return int(self.past.truth_BNH.shape[-1])

    def state(self, index: int, requests: Sequence[Request] = ()) -> State:
        """The state at a test origin, before any of its steps is measured."""
        past = self.past_at(index) if self.application.recent else self.past
        origin = int(self.party.test_origins[index])
        others = {name: one_BNH[index] for name, one_BNH in self.others.items()}
        days = self.application.known_days
        return state_at(self.party, past, self.test_BNH[index], origin, requests, others, days)

    def past_at(self, index: int) -> Past:
        """That of the validation days and of the test origins whose steps were all over then."""
        party, past = self.party, self.past
        origins_B = party.test_origins
        over = int(np.searchsorted(origins_B + self.steps, origins_B[index], side="right"))
        others = {
            name: np.concatenate([one_BNH, self.others[name][:over, :, : self.steps]])
            for name, one_BNH in past.others.items()
        }
        assert past.time_B is not None
        return Past(
            np.concatenate([past.forecast_BNH, self.test_BNH[:over, :, : self.steps]]),
            np.concatenate([past.truth_BNH, party.test.truth_BNH[:over, :, : self.steps]]),
            others,
            np.concatenate([past.time_B, party.panel.time_T[origins_B[:over]]]),
            past,
        )


def past_of(
    application: Application,
    party: Party,
    validation_BNH: Floats,
    others: Mapping[str, Floats] | None = None,
) -> Past:
    """Validation forecasts and truths of a party, up to the application's horizon.

    Args:
        others: naive forecasts of the validation days, by name.
    """
    steps = application.horizon_steps(party.panel.clock.step_s)
    time_B = party.panel.time_T[party.validation_origins]
    return Past.of(validation_BNH, party.data.validation.truth_BNH, steps, others, time_B)


def state_at(
    party: Party,
    past: Past,
    forecast_NH: Floats,
    origin: int,
    requests: Sequence[Request] = (),
    others: Mapping[str, Floats] | None = None,
    known_days: int = KNOWN_DAYS,
) -> State:
    """The state at an origin (a step index), before any of its steps is measured."""
    return State.of(
        party.panel,
        party.field,
        int(party.panel.time_T[origin]),
        forecast_NH,
        past,
        requests,
        others=others,
        known_days=known_days,
        weather=party.weather,
    )


def naive_both(party: Party) -> dict[str, Both]:
    """Every baseline's forecasts of a party's validation days and of its test days."""
    before = baseline_forecasts(party.inputs, party.data.validation, party.validation_origins)
    after = baseline_forecasts(party.inputs, party.test, party.test_origins)
    return {name: (before[name], after[name]) for name in before}
