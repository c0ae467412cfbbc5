"""From a party's forecasts to its application's decision.

Shapes: B origins, N places, H horizon steps.
"""

from collections.abc import Sequence

from deepcity.applications.application import Application
from deepcity.applications.decision import Decision
from deepcity.applications.state import Past, Request, State
from deepcity.city.arrays import Floats
from deepcity.parties.party import Party


def past_of(application: Application, party: Party, validation_BNH: Floats) -> Past:
    """Validation forecasts and truths of a party, up to the application's horizon."""
    steps = application.horizon_steps(party.panel.clock.step_s)
    truth_BNH = party.data.validation.truth_BNH
    return Past(validation_BNH[..., :steps], truth_BNH[..., :steps])


def state_at(
    party: Party, past: Past, forecast_NH: Floats, origin: int, requests: Sequence[Request] = ()
) -> State:
    """The state at an origin (a step index), before any of its steps is measured."""
    field = party.panel.fields[party.panel.field_index(party.field)]
    return State(
        now_s=int(party.panel.time_T[origin]),
        step_s=party.panel.clock.step_s,
        places=party.panel.places,
        kind=field.kind,
        unit=field.unit,
        forecast_NH=forecast_NH[:, : past.truth_BNH.shape[-1]],
        past=past,
        requests=tuple(requests),
    )


def last_decision(
    application: Application, party: Party, validation_BNH: Floats, test_BNH: Floats
) -> Decision:
    """The decision at the last of a party's test origins; a plan has no requests there."""
    past = past_of(application, party, validation_BNH)
    return application.decide(state_at(party, past, test_BNH[-1], int(party.test_origins[-1])))
