"""From a party's forecasts to its application's decision.

Shapes: B origins, N places, H horizon steps.
"""

from collections.abc import Sequence

from deepcity.applications.application import Application
from deepcity.applications.state import Past, Request, State
from deepcity.city.arrays import Floats
from deepcity.parties.party import Party


def past_of(application: Application, party: Party, validation_BNH: Floats) -> Past:
    """Validation forecasts and truths of a party, up to the application's horizon."""
    steps = application.horizon_steps(party.panel.clock.step_s)
    return Past.of(validation_BNH, party.data.validation.truth_BNH, steps)


def state_at(
    party: Party, past: Past, forecast_NH: Floats, origin: int, requests: Sequence[Request] = ()
) -> State:
    """The state at an origin (a step index), before any of its steps is measured."""
    now_s = int(party.panel.time_T[origin])
    return State.of(party.panel, party.field, now_s, forecast_NH, past, requests)
