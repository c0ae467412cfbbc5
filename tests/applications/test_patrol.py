"""So many patrols to the cells where most is expected, and what patrols do to records."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from application_contract import NOW_S
from hypothesis import given
from hypothesis import strategies as st

from deepcity.applications.application import applications
from deepcity.applications.decision import Confirm
from deepcity.applications.state import Past, State
from deepcity.applications.tasks.patrol import (
    HALF_LIFE_DAYS,
    PatrolCells,
    burden,
    daily_counts,
    feedback,
    recent_rate,
)
from deepcity.applications.tasks.patrol_scores import MostCounted, PatrolOutcome, patrol_scores
from deepcity.city.clock import Clock
from deepcity.city.field import Field, Kind
from deepcity.city.place import Place
from deepcity.data.panel import Panel

PATROLS = PatrolCells("send-patrol", share=0.1)
DAY = 86_400
RATES = np.array([3.0, 2.0, *np.full(8, 0.1), *np.full(10, 0.0)])


def state(rates=RATES, days=91, past=40, seed=0):
    rng = np.random.default_rng(seed)
    forecast_NH = np.asarray(rates, np.float32)[:, None]
    truth_BNH = rng.poisson(rates, (past, len(rates)))[..., None].astype(np.float32)
    return State(
        now_s=NOW_S,
        step_s=DAY,
        places=tuple(Place(f"c{n}") for n in range(len(rates))),
        kind=Kind.COUNT,
        unit="offences",
        forecast_NH=forecast_NH,
        past=Past(np.tile(forecast_NH, (past, 1, 1)), truth_BNH),
        known_TN=rng.poisson(rates, (days, len(rates))).astype(np.float32),
    )


def test_patrols_go_where_most_is_expected_and_no_further():
    decision = PATROLS(state())
    assert [one.place for one in decision.actions] == ["c0", "c1"]
    assert decision.actions[0].numbers["value"] == pytest.approx(3, abs=0.4)
    assert decision.actions[0].numbers["probability"] > 0.8
    assert decision.confirm is Confirm.AUTHORITY
    plan = decision.reasons[0].numbers
    assert (plan["patrols"], plan["cells"]) == (2, 20)
    assert plan["served"] == decision.certainty == pytest.approx(5 / 5.8, abs=0.05)
    assert plan["pai"] == pytest.approx(10 * plan["served"])


@pytest.mark.parametrize(("units", "sent"), [(None, 2), (0, 0), (5, 5), (99, 20)])
def test_a_state_names_how_many_there_are(units, sent):
    decision = PATROLS(replace(state(), units=units))
    assert len(decision.actions) == sent
    assert len({one.place for one in decision.actions}) == sent
    if not sent:
        assert decision.reasons[0].code == "no-patrols"


def test_the_burden_is_the_shares_of_the_most_patrolled_tenth():
    patrols_N, counts_N = np.array([10, 5, *[0] * 18]), np.array([4.0, 2.0, *[1.0] * 18])
    assert burden(patrols_N, counts_N) == (1.0, pytest.approx(6 / 24))
    codes = {one.code: one.numbers for one in PATROLS(state()).reasons}
    assert codes["burden"]["patrol-share"] == 1.0
    assert codes["burden"]["count-share"] == pytest.approx(5 / 5.8, abs=0.05)


def test_feedback_makes_records_drift_to_where_patrols_are_though_crime_is_even():
    rng = np.random.default_rng(0)
    even_DN = rng.poisson(1.0, (90, 50)).astype(float)
    before, after = feedback(even_DN, 5)
    assert before == pytest.approx(0.1, abs=0.03)
    assert after > 0.9
    everywhere = feedback(even_DN, 50)
    assert everywhere[1] == pytest.approx(everywhere[0], abs=0.02)


def test_what_is_not_known_has_no_check_beside_it():
    codes = [one.code for one in PATROLS(replace(state(), known_TN=None)).reasons]
    assert codes == ["patrols-planned", "burden"]
    nothing = replace(state(), past=Past(np.empty((0, 20, 1)), np.empty((0, 20, 1))))
    assert [one.code for one in PATROLS(nothing).reasons] == ["patrols-planned", "feedback"]
    assert PATROLS(nothing).certainty == 0.0


def test_newer_days_count_more_and_gaps_do_not_count():
    known_TN = np.array([[10.0, np.nan, np.nan]] + [[0.0, 2.0, np.nan]] * 200, np.float32)
    rate_N = recent_rate(known_TN, DAY)
    assert rate_N[0] < 10 / 201
    assert rate_N[1] == pytest.approx(2)
    assert np.isnan(rate_N[2])


def test_two_years_of_hours_count_as_their_weighted_mean():
    known_TN = np.random.default_rng(0).poisson(1.0, (731 * 24, 3)).astype(np.float32)
    known_TN[100:5000, 1] = np.nan
    weight_T1 = 0.5 ** (np.arange(len(known_TN))[::-1, None] / 24 / HALF_LIFE_DAYS)
    weight_TN = np.where(np.isfinite(known_TN), weight_T1, 0)
    wanted_N = (weight_TN * np.nan_to_num(known_TN)).sum(axis=0) / weight_TN.sum(axis=0)
    assert recent_rate(known_TN, 3600) == pytest.approx(wanted_N)


def test_a_cell_is_remembered_for_two_years_and_no_longer():
    rates = np.zeros(20)
    made = state(rates, days=0)
    values_TNF = np.zeros((800, 20, 1), np.float32)
    values_TNF[:60, 7] = 50  # over two years ago
    values_TNF[200:260, 3] = 1
    clock = Clock("UTC", timedelta(seconds=DAY))
    time_T = NOW_S + DAY * np.arange(-800, 0, dtype=np.int64)
    panel = Panel(clock, time_T, made.places, (Field("theft", made.kind, made.unit),), values_TNF)
    days = applications()["crime-prevention"].known_days
    found = State.of(panel, "theft", NOW_S, made.forecast_NH, made.past, known_days=days)
    assert len(found.known_TN) == 731
    assert [one.place for one in PATROLS(found).actions] == ["c3", "c0"]


@given(st.integers(1, 200), st.sampled_from([3600, 21_600, DAY]))
def test_days_are_whole_and_end_now(steps, step_s):
    per_day = DAY // step_s
    known_TN = np.ones((steps, 2), np.float32)
    days = min(90, steps // per_day)
    assert daily_counts(known_TN, step_s, 90).tolist() == [[per_day] * 2] * days


def test_scores_are_hit_rate_and_pai_of_what_came():
    made = state()
    truth_NH = np.zeros((20, 1))
    truth_NH[[0, 5], 0] = [3, 1]
    outcomes = [PatrolOutcome.of(made, PATROLS(made), truth_NH)] * 2
    found = patrol_scores(outcomes)
    assert (found.hit_rate, found.pai, found.days) == (0.75, 7.5, 2)
    assert (found.patrol_share, found.count_share) == (1.0, 0.75)
    assert patrol_scores([]).days == 0


def test_the_baseline_counts_the_last_ninety_days_alone():
    made = state()
    known_TN = np.zeros((100, 20), np.float32)
    known_TN[:5, 7] = 50  # long ago
    known_TN[50:, 3] = 1
    decision = MostCounted(PATROLS)(replace(made, known_TN=known_TN))
    assert {one.place for one in decision.actions} == {"c0", "c3"}  # of cells without any the first
    assert isinstance(applications()["crime-prevention"].decide, PatrolCells)
