"""The peak of the day: when, how high, how sure, and which places carry it."""

from dataclasses import replace

import numpy as np
import pytest
from application_contract import NOW_S, STEP_S
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from deepcity.applications.application import applications
from deepcity.applications.state import Past, State
from deepcity.applications.tasks.peak import PeakOfDay, carriers, error_paths, peak_of
from deepcity.applications.tasks.peak_scores import HighestForecast, PeakScores, peak_score
from deepcity.city.field import Kind
from deepcity.city.place import Place

PEAK = PeakOfDay("cover-peak")
HOURS = np.arange(24)


def course(peak, height=10.0):
    """A day's load that peaks at an hour."""
    return (100 + height * np.exp(-((HOURS - peak) ** 2) / 8)).astype(np.float32)


def state(forecast_NH, before_BNH, truth_BNH, known_TN=None):
    return State(
        now_s=NOW_S,
        step_s=STEP_S,
        places=tuple(Place(f"p{n}") for n in range(len(forecast_NH))),
        kind=Kind.LOAD,
        unit="MW",
        forecast_NH=np.asarray(forecast_NH, np.float32),
        past=Past(np.asarray(before_BNH, np.float32), np.asarray(truth_BNH, np.float32)),
        known_TN=known_TN,
    )


def shifted(hours, days=20):
    """A grid whose forecast is right but for a fixed time by which it comes later."""
    before = np.stack([course(12)] * days)[:, None]
    truth = np.stack([course(12 + hours)] * days)[:, None]
    return state(course(12)[None], before, truth)


def test_past_errors_move_the_peak_s_hour_and_height():
    found = peak_of(shifted(0), 1.0)
    assert (found.step, found.probability) == (12, 1.0)
    assert found.value == pytest.approx(110, rel=1e-4)
    later = peak_of(shifted(4), 1.0)
    assert (later.step, later.probability) == (16, 1.0)
    higher = shifted(0)
    higher = replace(higher, past=Past(higher.past.forecast_BNH, higher.past.truth_BNH * 1.2))
    assert peak_of(higher, 1.0).value == pytest.approx(132, rel=1e-4)


def test_the_band_holds_nine_of_ten_past_heights():
    rng = np.random.default_rng(0)
    before = np.stack([course(12)] * 200)[:, None]
    heights = rng.normal(1.0, 0.05, 200)[:, None, None]
    found = peak_of(state(course(12)[None], before, before * heights), 1.0)
    inside = (110 * heights >= found.low) & (110 * heights <= found.high)
    assert inside.mean() == pytest.approx(0.9, abs=0.02)
    assert found.low < found.value < found.high


def test_the_newest_days_speak_for_half_of_the_hour():
    known_TN = np.tile(course(18), 28)[:, None]
    found = peak_of(replace(shifted(0), known_TN=known_TN), 1.0)
    assert found.probability == pytest.approx(0.5)
    assert found.usual == pytest.approx(110, rel=1e-4)
    mostly = np.concatenate([np.tile(course(18), 2), np.tile(course(12), 26)])[:, None]
    found = peak_of(replace(shifted(0), known_TN=mostly), 1.0)
    assert (found.step, found.probability) == (12, pytest.approx(0.5 + 13 / 28))


def test_without_past_errors_and_days_it_is_the_forecast_s_and_not_sure():
    nothing = np.empty((0, 1, 24))
    found = peak_of(state(course(15)[None], nothing, nothing), 1.0)
    assert (found.step, found.probability, found.usual) == (15, 0.0, None)
    assert found.low == found.value == found.high == pytest.approx(110, rel=1e-4)


def test_one_place_is_no_one_to_shift_from():
    decision = PEAK(shifted(0))
    assert [one.code for one in decision.actions] == ["cover-peak"]
    assert [one.code for one in decision.reasons] == ["peak-ahead"]
    assert decision.certainty == decision.actions[0].numbers["probability"] == 1.0


def two_places(days=30):
    """One place is level, another peaks at noon: the second carries the peak above its share."""
    level, peaky = np.full(24, 200.0), course(12, height=100.0)
    forecast_NH = np.stack([level, peaky])
    before = np.stack([forecast_NH] * days)
    known_TN = np.tile(forecast_NH, (1, 28)).T.astype(np.float32)
    return state(forecast_NH, before, before, known_TN)


def test_the_place_above_its_usual_share_is_asked_to_shift_even_if_it_is_not_the_largest():
    decision = PEAK(two_places())
    cover, shift = decision.actions
    assert (cover.code, cover.place) == ("cover-peak", "p0")
    assert (shift.code, shift.place) == ("shift-load", "p1")
    reason = decision.reasons[1]
    assert (reason.code, reason.place) == ("above-usual-share", "p1")
    share, usual = reason.numbers["share"], reason.numbers["usual-share"]
    assert share == pytest.approx(0.5, abs=0.01)
    assert usual < share
    assert reason.numbers["excess"] == pytest.approx((share - usual) * 400, rel=1e-3)
    assert reason.numbers["probability"] == 1.0


def test_a_gap_at_one_place_does_not_lose_the_total_s_error():
    full = two_places()
    truth = full.past.truth_BNH.copy()
    truth[:, 0, 3] = np.nan
    gappy = replace(full, past=Past(full.past.forecast_BNH, truth))
    total_H = full.forecast_NH.sum(axis=0)
    np.testing.assert_allclose(error_paths(gappy, total_H), error_paths(full, total_H))
    nowhere = truth.copy()
    nowhere[:, :, 5] = np.nan
    unknown = replace(full, past=Past(full.past.forecast_BNH, nowhere))
    assert len(error_paths(unknown, total_H)) == 0


def test_totals_that_are_not_over_zero_have_errors_by_difference():
    low = state(np.zeros((1, 24)), np.zeros((5, 1, 24)), np.ones((5, 1, 24)))
    assert peak_of(low, 1.0).value == 1.0
    assert carriers(low, 0) == []


@given(
    hnp.arrays(np.float32, (3, 24), elements=st.floats(0, 1e6, width=32)),
    hnp.arrays(np.float32, (7, 3, 24), elements=st.floats(0, 1e6, width=32) | st.just(np.nan)),
)
def test_any_state_gives_numbers_that_fit_together(forecast_NH, truth_BNH):
    made = state(forecast_NH, np.tile(forecast_NH, (7, 1, 1)), truth_BNH, truth_BNH[:, :, 0])
    decision = PEAK(made)
    numbers = decision.reasons[0].numbers
    assert numbers["low"] <= numbers["value"] <= numbers["high"]
    assert 0 <= numbers["probability"] <= 1
    for reason in decision.reasons[1:]:
        assert reason.numbers["excess"] > 0
        assert reason.numbers["share"] >= reason.numbers["usual-share"]  # equal by rounding


def test_scores_tell_how_far_off_height_and_hour_were():
    made, truth = shifted(0), course(14)[None] * 1.1
    score = peak_score(made, PEAK(made), truth)
    assert score.hours_off == 2
    assert score.near == 0
    assert score.promised == 1
    assert score.covered == 0
    assert score.height_error == pytest.approx(1 - 1 / 1.1, rel=1e-3)
    assert np.isnan(score.carried)
    assert peak_score(made, PEAK(made), np.full((1, 24), np.nan)) is None
    right = peak_score(made, PEAK(made), course(12)[None])
    assert PeakScores.mean([score, right]).near == 0.5


def test_scores_tell_what_the_places_asked_had_to_shift():
    made = two_places()
    right = peak_score(made, PEAK(made), made.forecast_NH)
    largest = peak_score(made, HighestForecast(most=1)(made), made.forecast_NH)
    assert (right.carried, largest.carried) == (1.0, 0.0)
    assert np.isnan(largest.covered)


def test_electricity_names_the_peak():
    assert isinstance(applications()["electricity"].decide, PeakOfDay)
