"""Night flows that rise above a district's own past nights."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.applications.application import applications
from deepcity.applications.decision import Confirm
from deepcity.applications.state import Past, State
from deepcity.applications.tasks.night_flow import NightFlowRise, lasting, night_flows
from deepcity.applications.tasks.night_flow_scores import (
    AboveLastWeek,
    AboveUsual,
    alarms_of,
    detection_nights,
    false_alarms,
)
from deepcity.city.field import Kind
from deepcity.city.place import Place

WATCH = applications()["water-leaks"].decide
ROME = ZoneInfo("Europe/Rome")
HOUR = 3600


def flows(nights, districts=2, seed=0):
    """Hourly flows that end at noon: 10 by night, 30 by day, with a little noise."""
    rng = np.random.default_rng(seed)
    end = datetime(2024, 6, 1, 12, tzinfo=ROME)
    start = int((end - timedelta(days=nights)).timestamp())
    seconds = np.arange(start, int(end.timestamp()), HOUR)
    hours = np.array([datetime.fromtimestamp(int(one), ROME).hour for one in seconds])
    level_T = np.where((hours >= 1) & (hours < 6), 10.0, 30.0)
    noise = rng.normal(1, 0.05, (len(seconds), districts))
    return (level_T[:, None] * noise).astype(np.float32), int(end.timestamp())


def state(known_TN, now_s, step_s=HOUR):
    districts = 2 if known_TN is None else known_TN.shape[1]
    nothing = np.empty((0, districts, 1), np.float32)
    return State(
        now_s=now_s,
        step_s=step_s,
        places=tuple(Place(f"d{n}") for n in range(districts)),
        kind=Kind.FLOW,
        unit="L/s",
        forecast_NH=np.ones((districts, 1), np.float32),
        past=Past(nothing, nothing),
        known_TN=known_TN,
        time_zone="Europe/Rome",
    )


def leaking(share, nights=4, days=60):
    known_TN, now_s = flows(days)
    known_TN[-24 * nights :, 1] += np.float32(share * 10)
    return state(known_TN, now_s)


def test_a_leak_that_lasts_is_suspected_where_it_is():
    decision = WATCH(leaking(0.4))
    (action,) = decision.actions
    assert (action.code, action.place) == ("inspect-leak", "d1")
    (reason,) = decision.reasons
    assert (reason.code, reason.place) == ("night-flow-high", "d1")
    assert reason.numbers["excess"] == pytest.approx(4, abs=0.6)
    assert reason.numbers["usual"] == pytest.approx(10, abs=0.3)
    assert reason.numbers["rise"] > reason.numbers["limit"]
    assert action.numbers["value"] == reason.numbers["excess"]
    assert 0.9 < decision.certainty < 1
    assert decision.confirm is Confirm.OPERATOR


@pytest.mark.parametrize(("share", "nights"), [(0.0, 4), (0.2, 2), (5.0, 1)])
def test_a_quiet_district_and_a_night_or_two_are_none(share, nights):
    decision = WATCH(leaking(share, nights))
    assert not decision.actions
    assert decision.reasons[0].code == "night-flow-usual"
    assert decision.confirm is Confirm.NOBODY


def test_two_nights_far_above_the_usual_are_enough():
    decision = WATCH(leaking(0.5, nights=2))
    (reason,) = decision.reasons
    assert (reason.code, reason.place) == ("night-flow-high", "d1")
    numbers = reason.numbers
    assert numbers["rise"] < numbers["limit"]  # the third night was quiet
    assert numbers["share"] >= numbers["large"]
    assert (numbers["nights"], numbers["large-nights"]) == (3, 2)
    assert decision.certainty > 0.9


def test_a_large_leak_is_seen_where_nights_vary_as_much():
    known_TN, now_s = flows(60)
    day_T = np.arange(len(known_TN))[::-1] // 24
    known_TN[:, 1] *= np.array([0.7, 1.0, 1.3], np.float32)[day_T % 3]
    known_TN[-24 * 4 :, 1] += np.float32(6.7)
    made = state(known_TN, now_s)
    assert [one.place for one in WATCH(made).actions] == ["d1"]
    assert not NightFlowRise("x", large=9.0)(made).actions


def test_a_missing_night_before_the_newest_leaves_the_share_out():
    made = leaking(0.6, nights=5)
    made.known_TN[-48:-24] = np.nan
    (reason,) = WATCH(made).reasons
    assert "share" not in reason.numbers
    assert all(np.isfinite(one) for one in reason.numbers.values())


def test_a_seasonal_rise_is_no_leak():
    known_TN, now_s = flows(90)
    slow = np.linspace(1, 1.3, len(known_TN))[:, None].astype(np.float32)
    assert not WATCH(state(known_TN * slow, now_s)).actions


def test_more_by_day_is_no_leak():
    known_TN, now_s = flows(60)
    by_day = known_TN > 20
    known_TN[-96:][by_day[-96:]] *= 2
    assert not WATCH(state(known_TN, now_s)).actions


def test_it_says_when_too_few_nights_are_known():
    for known_TN, step_s in ((None, HOUR), (flows(10)[0], HOUR), (flows(60)[0], 86_400)):
        decision = WATCH(state(known_TN, flows(10)[1], step_s))
        assert (decision.actions, decision.certainty) == ((), 0.0)
        assert decision.reasons[0].code == "too-few-nights"
        assert decision.reasons[0].numbers["needed"] == 17
    known_TN, now_s = flows(60)
    assert WATCH(state(np.full_like(known_TN, np.nan), now_s)).reasons[0].code == "too-few-nights"


def test_nights_are_those_of_the_city_s_clock_and_have_ended():
    known_TN, now_s = flows(3)
    found_DN = night_flows(state(known_TN, now_s), (2, 5))
    assert found_DN.shape == (3, 2)
    assert np.abs(found_DN - 10).max() < 1
    night = state(known_TN[: -24 + 16], now_s - 8 * HOUR)  # 4 o'clock: tonight is not over
    assert len(night_flows(night, (2, 5))) == 2


def test_a_night_half_of_which_is_missing_is_unknown():
    known_TN, now_s = flows(3)
    known_TN[-9:-7, 0] = np.nan  # 3 and 4 o'clock of the last night
    found_DN = night_flows(state(known_TN, now_s), (2, 5))
    assert np.isnan(found_DN[-1, 0])
    assert np.isfinite(found_DN[-1, 1])


def test_a_missing_night_does_not_hide_a_leak():
    made = leaking(0.6, nights=4)
    made.known_TN[-48:-24] = np.nan
    assert [one.place for one in WATCH(made).actions] == ["d1"]


def test_lasting_is_the_least_of_those_known():
    rise_DN = np.array([[1.0], [3.0], [np.nan], [2.0], [5.0]])
    assert lasting(rise_DN, 3)[:, 0].tolist()[1:2] == [1.0]
    assert lasting(rise_DN, 3)[3:, 0].tolist() == [2.0, 2.0]
    assert np.isnan(lasting(rise_DN, 3)[[0, 2], 0]).all()


@given(st.integers(0, 5), st.floats(0, 3))
def test_a_larger_leak_never_rises_less(seed, share):
    known_TN, now_s = flows(60, seed=seed)
    small = night_flows(state(known_TN, now_s), (2, 5))
    large = small.copy()
    large[-3:] += share
    last = [WATCH.suspicion(one).of_limit_DN[-1] for one in (small, large)]
    assert (last[1] >= last[0] - 1e-9).all()


def test_the_decision_and_the_back_test_have_the_same_alarms():
    made = leaking(0.25, nights=3)
    alarm_DN = alarms_of(WATCH)(night_flows(made, WATCH.hours))
    assert alarm_DN[-1].tolist() == [False, True]
    assert [one.place for one in WATCH(made).actions] == ["d1"]


def test_scores_count_false_alarms_once_and_nights_until_a_leak_is_seen():
    alarm_D = np.zeros((40, 1), bool)
    alarm_D[[3, 5, 9, 30], 0] = True
    assert false_alarms(alarm_D) == 2
    known_TN, now_s = flows(60)
    flow_DN = night_flows(state(known_TN, now_s), (2, 5))
    watch = alarms_of(NightFlowRise("x"))
    assert detection_nights(watch, flow_DN, 40, 1, [0.0, 2.0, 4.0], 14) == [None, 3, 2]
    assert detection_nights(AboveUsual(2.0), flow_DN, 40, 1, [12.0, 4.0], 14) == [1, None]
    assert detection_nights(AboveLastWeek(1.2), flow_DN, 40, 1, [4.0], 14) == [1]
