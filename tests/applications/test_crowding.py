"""A warning where a station will probably go above a limit of its own."""

from dataclasses import replace

import numpy as np
import pytest
from application_contract import NOW_S

from deepcity.applications.application import applications
from deepcity.applications.decision import Confirm
from deepcity.applications.state import Past, State
from deepcity.applications.tasks.alert import Costs
from deepcity.applications.tasks.crowding import WarnAboveOwnLimit
from deepcity.city.field import Kind
from deepcity.city.place import Place

CROWDS = applications()["crowding-warning"].decide
STEP_S = 900


def state(forecast_NH, capacity=(None, None), past=200):
    """Two stations, one ten times as large; forecasts of the past err by a tenth."""
    rng = np.random.default_rng(0)
    shape = (past, 2, 4)
    before_BNH = rng.uniform(10, 100, shape) * np.array([1, 10])[:, None]
    truth_BNH = before_BNH * rng.uniform(0.9, 1.1, shape)
    return State(
        now_s=NOW_S,
        step_s=STEP_S,
        places=tuple(Place(f"s{n}", capacity=one) for n, one in enumerate(capacity)),
        kind=Kind.COUNT,
        unit="passengers",
        forecast_NH=np.asarray(forecast_NH, np.float32),
        past=Past(before_BNH.astype(np.float32), truth_BNH.astype(np.float32)),
    )


def test_each_station_has_its_own_limit():
    decision = CROWDS(state([[50, 50, 130, 130], [500] * 4]))
    (action,) = decision.actions
    assert (action.code, action.place) == ("warn-crowding", "s0")
    assert action.at_s == NOW_S + 2 * STEP_S
    assert action.numbers["limit"] == pytest.approx(95, abs=4)
    assert action.numbers["value"] == 130
    assert action.numbers["probability"] > 0.9
    assert decision.confirm is Confirm.OPERATOR
    (reason,) = decision.reasons
    assert reason.code == "crowding-likely"
    assert reason.numbers["quantile"] == 0.95
    assert {"cutoff", "miss", "false-alarm", "crossed"} <= set(reason.numbers)
    assert "threshold" not in reason.numbers


def test_a_capacity_is_the_limit_where_it_is_known():
    made = state([[50] * 4, [500] * 4], capacity=(None, 400.0))
    (action,) = CROWDS(made).actions
    assert (action.place, action.numbers["limit"]) == ("s1", 400)


def test_no_crowd_no_warning():
    decision = CROWDS(state([[50] * 4, [500] * 4]))
    assert (decision.actions, decision.confirm) == ((), Confirm.NOBODY)
    assert decision.reasons[0].code == "crowding-unlikely"
    assert decision.certainty > 0.95


def test_a_station_without_a_limit_is_not_warned():
    made = state([[1e6] * 4, [1e6] * 4])
    empty = made.past.truth_BNH.copy()
    empty[:, 0] = 0
    decision = CROWDS(replace(made, past=Past(made.past.forecast_BNH, empty)))
    assert [one.place for one in decision.actions] == ["s1"]
    assert decision.reasons[0].numbers["limits"] == 1


def test_limits_are_measured_once_for_all_decisions_of_the_same_past():
    made = state([[50] * 4, [500] * 4])
    places, past = made.places, made.past
    assert CROWDS.ratios(places, past) is CROWDS.ratios(places, past)
    stricter = WarnAboveOwnLimit("x", quantile=0.5, costs=Costs())
    assert (stricter.limits_N(places, past) < CROWDS.limits_N(places, past)).all()
