"""Places without a forecast take no part in a decision."""

from dataclasses import replace

import numpy as np
import pytest

from deepcity.applications.application import applications
from deepcity.applications.state import Past, Request, State
from deepcity.applications.tasks.known_places import LEFT_OUT, decide_where_known
from deepcity.city.field import Kind
from deepcity.city.place import Place

DECIDING = {"water": (Kind.FLOW, "L/s"), "air-warning": (Kind.CONCENTRATION, "ug/m3")}
DECIDING |= {"parking-guidance": (Kind.LEVEL, "spaces")}


def state(kind, unit, silent):
    random = np.random.default_rng(1)
    truth_BNH = random.uniform(0, 90, (20, 3, 4)).astype(np.float32)
    forecast_NH = np.full((3, 4), 40.0, np.float32)
    forecast_NH[silent] = np.nan
    return State(
        now_s=0,
        step_s=3600,
        places=tuple(Place(f"p{n}", 51.0, 13.0 + n / 100, 90) for n in range(3)),
        kind=kind,
        unit=unit,
        forecast_NH=forecast_NH,
        past=Past(truth_BNH + random.normal(0, 5, truth_BNH.shape).astype(np.float32), truth_BNH),
        requests=(Request("r", 51.0, 13.0, 1, 2),),
    )


@pytest.mark.parametrize("name", DECIDING)
def test_the_decision_is_that_of_the_other_places_and_counts_those_left_out(name):
    decide = applications()[name].decide
    whole = state(*DECIDING[name], [])
    found = decide_where_known(decide, state(*DECIDING[name], [0]))
    alone = decide(
        replace(
            whole,
            places=whole.places[1:],
            forecast_NH=whole.forecast_NH[1:],
            past=Past(whole.past.forecast_BNH[:, 1:], whole.past.truth_BNH[:, 1:]),
        )
    )
    assert found.actions == alone.actions
    assert found.reasons[:-1] == alone.reasons
    assert found.reasons[-1].code == LEFT_OUT
    assert dict(found.reasons[-1].numbers) == {"places": 1.0, "of": 3.0}
    assert decide_where_known(decide, whole) == decide(whole)


@pytest.mark.parametrize("name", DECIDING)
def test_without_any_forecast_nothing_is_certain(name):
    found = decide_where_known(applications()[name].decide, state(*DECIDING[name], [0, 1, 2]))
    assert (found.actions, found.certainty) == ((), 0.0)
    assert [one.code for one in found.reasons] == ["no-forecast", LEFT_OUT]
