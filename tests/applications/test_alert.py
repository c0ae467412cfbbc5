"""Warnings follow the probability of crossing, and a cutoff chosen by what mistakes cost."""

from dataclasses import replace

import numpy as np
import pytest
from application_contract import made_state
from hypothesis import given
from hypothesis import strategies as st

from deepcity.applications.application import applications
from deepcity.applications.decision import Confirm
from deepcity.applications.state import Past
from deepcity.applications.tasks.alert import WarnAbove
from deepcity.applications.tasks.crossing import Costs, crossing, learned_warner
from deepcity.city.clock import DAY_S

STATE = made_state(applications()["air-warning"])
LEVELS = st.floats(1, 500)


@given(one=LEVELS, other=LEVELS, relative=st.booleans())
def test_a_higher_threshold_is_never_likelier_crossed(one, other, relative):
    low, high = sorted((one, other))
    forecast = STATE.forecast_NH[None]
    above_low, above_high = (
        crossing(forecast, STATE.past, level, relative=relative) for level in (low, high)
    )
    assert (above_high <= above_low).all()
    assert ((above_low >= 0) & (above_low <= 1)).all()


@given(shift=st.floats(0, 200))
def test_a_higher_forecast_is_never_less_likely_to_cross(shift):
    below, above = (
        crossing(STATE.forecast_NH[None] + more, STATE.past, 90.0, relative=False)
        for more in (0.0, np.float32(shift))
    )
    assert (above >= below).all()


def test_a_probability_is_the_share_of_past_errors_that_would_cross():
    past = Past(np.zeros((4, 1, 1), np.float32), np.array([-2, 1, 3, 5], np.float32)[:, None, None])
    forecast = np.array([[[8.0]]], np.float32)
    assert crossing(forecast, past, 10.0, relative=False)[0, 0, 0] == 0.5


def test_a_place_without_past_errors_takes_those_of_the_others():
    truth = np.array([[[9.0], [np.nan]], [[1.0], [np.nan]]], np.float32)
    past = Past(np.zeros_like(truth), truth)
    assert crossing(np.full((1, 2, 1), 3.0, np.float32), past, 5.0, relative=False).tolist() == [
        [[0.5], [0.5]]
    ]


def noisy_past(seed=0, count=400):
    rng = np.random.default_rng(seed)
    forecast = rng.uniform(0, 100, (count, 1, 2)).astype(np.float32)
    return Past(forecast, forecast + rng.normal(0, 20, forecast.shape).astype(np.float32))


@pytest.mark.parametrize(("miss", "false_alarm"), [(1, 1), (4, 1), (1, 4)])
def test_the_cutoff_is_near_what_the_costs_ask_for(miss, false_alarm):
    costs = Costs(miss, false_alarm)
    assert learned_warner(noisy_past(), 50.0, costs, False).cutoff == pytest.approx(
        costs.cutoff, abs=0.17
    )


def test_dearer_misses_never_warn_less():
    cutoffs = [
        learned_warner(noisy_past(), 50.0, Costs(miss), False).cutoff for miss in (0.3, 1, 3, 9)
    ]
    assert cutoffs == sorted(cutoffs, reverse=True)


def test_where_nothing_ever_crossed_the_costs_alone_say_when_to_warn():
    assert learned_warner(noisy_past(), 1000.0, Costs(3, 1), False).cutoff == 0.25


def test_it_warns_of_the_first_step_that_is_likely_enough():
    rise = replace(STATE, forecast_NH=np.tile(np.linspace(10, 300, 24, dtype=np.float32), (3, 1)))
    alert = WarnAbove(75.0, "ug/m3")
    found = alert(rise)
    cutoff, probability_NH = alert.cutoff(rise), alert.probability_NH(rise)
    assert found.actions
    for action in found.actions:
        place = [one.id for one in rise.places].index(action.place)
        step = (action.at_s - rise.now_s) // rise.step_s
        assert probability_NH[place, step] >= cutoff
        assert (probability_NH[place, :step] < cutoff).all()
        assert action.numbers["lead-hours"] == step
    assert found.confirm is Confirm.AUTHORITY
    known_NH = np.isfinite(rise.past.truth_BNH).sum(axis=0)  # a hole is no day
    days = known_NH[probability_NH == probability_NH.max()].max()
    assert found.certainty == pytest.approx((probability_NH.max() * days + 0.5) / (days + 1))


def test_without_a_warning_nobody_must_confirm():
    calm = replace(STATE, forecast_NH=np.full_like(STATE.forecast_NH, 2.0))
    found = WarnAbove(75.0, "ug/m3", relative=True)(calm)
    assert not found.actions
    assert found.confirm is Confirm.NOBODY
    assert found.certainty > 0.9


@pytest.mark.parametrize("level", [2.0, 200.0], ids=["below", "above"])
@pytest.mark.parametrize(("days", "certainty"), [(0, 0.0), (1, 0.75), (60, 60.5 / 61)])
def test_it_is_no_surer_than_the_days_it_knows(level, days, certainty):
    """All errors agree; those of places that were never measured are the others'."""
    forecast_NH = np.full_like(STATE.forecast_NH, level)
    before_BNH = np.repeat(forecast_NH[None], days, axis=0)
    truth_BNH = before_BNH.copy()
    truth_BNH[:, 1:] = np.nan
    known = replace(STATE, forecast_NH=forecast_NH, past=Past(before_BNH, truth_BNH))
    found = WarnAbove(75.0, "ug/m3")(known)
    assert bool(found.actions) is (level > 75)
    assert found.certainty == pytest.approx(certainty)


def test_many_forecasts_of_one_day_are_one_day():
    before_BNH = np.full((24, *STATE.forecast_NH.shape), 2.0, np.float32)
    one_day = Past(before_BNH, before_BNH, time_B=STATE.now_s // DAY_S * DAY_S + np.arange(24))
    calm = replace(STATE, forecast_NH=before_BNH[0], past=one_day)
    assert WarnAbove(75.0, "ug/m3")(calm).certainty == pytest.approx(0.75)


def test_the_threshold_is_told_in_the_state_s_unit():
    milli = replace(
        STATE,
        unit="mg/m3",
        forecast_NH=STATE.forecast_NH / 1000,
        past=Past(STATE.past.forecast_BNH / 1000, STATE.past.truth_BNH / 1000),
    )
    for relative in (False, True):
        alert = WarnAbove(75.0, "ug/m3", relative=relative)
        assert np.allclose(alert.probability_NH(milli), alert.probability_NH(STATE), atol=0.02)
