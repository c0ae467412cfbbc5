"""Acting where a forecast is the furthest from the usual: how sure, by how many days."""

from dataclasses import replace

import numpy as np
import pytest
from application_contract import made_state

from deepcity.applications.application import applications
from deepcity.applications.state import Past
from deepcity.applications.tasks.forecast import ActAtExtreme
from deepcity.city.clock import DAY_S

STATE = made_state(applications()["water"])


@pytest.mark.parametrize(("days", "certainty"), [(1, 0.75), (59, 59.5 / 60)])
@pytest.mark.parametrize("a_day", [1, 24])
def test_it_is_no_surer_than_the_days_it_knows(days, certainty, a_day):
    """All past errors agree that it is beyond the usual; an hour later is no other day."""
    shape = (days * a_day, *STATE.forecast_NH.shape)
    before_BNH = np.ones(shape, np.float32)
    start_s = STATE.now_s // DAY_S * DAY_S
    time_B = np.concatenate([start_s - day * DAY_S + np.arange(a_day) for day in range(days)])
    state = replace(STATE, past=Past(before_BNH, before_BNH, time_B=np.sort(time_B)))
    found = ActAtExtreme("fill-tanks")(state)
    assert found.certainty == pytest.approx(certainty)


def test_without_past_errors_it_is_not_sure_at_all():
    nothing = np.empty((0, *STATE.forecast_NH.shape), np.float32)
    found = ActAtExtreme("fill-tanks")(replace(STATE, past=Past(nothing, nothing)))
    assert found.certainty == 0
