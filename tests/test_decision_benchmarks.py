"""What the benchmark of decisions rests on: differences by days, and drivers who drive on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parking_lots import ask, lots

from benchmarks.decisions.day_scores import DayScores, difference
from benchmarks.decisions.driving import minutes
from benchmarks.decisions.summary import Verdict
from benchmarks.traffic_causes.detours import Detours
from deepcity.applications.tasks.plan import Pace
from deepcity.applications.tasks.plan_scores import NearestPlace

OURS = ("ours", "alone")


def by_day(values):
    return DayScores.of(np.arange(len(values)), np.array(values, np.float64))


def hits(days, count):
    """So many hits spread evenly over the days."""
    return by_day([float(day * count // days != (day + 1) * count // days) for day in range(days)])


def test_a_score_is_the_weighed_mean_of_what_is_known():
    found = DayScores.of(
        np.array([7, 7, 8, 9]), np.array([1.0, 4.0, 2.0, np.nan]), np.array([2.0, 1.0, 1.0, 5.0])
    )
    assert found.weight_D.tolist() == [3.0, 1.0, 0.0]
    assert found.score == pytest.approx((2 + 4 + 2) / 4)
    assert np.isnan(by_day([np.nan]).score)


def test_three_hits_more_in_forty_days_are_no_difference_and_in_four_hundred_they_are():
    few = difference([hits(40, 15)] * 3, [hits(40, 12)] * 3)
    assert few.mean == pytest.approx(3 / 40)
    assert few.low < 0 < few.high
    assert not few.sure
    many = difference([hits(400, 150)] * 3, [hits(400, 120)] * 3)
    assert many.sure
    assert 0 < many.low < 3 / 40 < many.high


def test_what_comes_on_the_same_days_is_compared_on_the_same_days():
    rng = np.random.default_rng(0)
    level_D = rng.normal(10, 5, 60)
    ours, other = by_day(level_D + 0.5 + rng.normal(0, 0.1, 60)), by_day(level_D)
    assert difference([ours], [other]).sure


def test_days_that_follow_one_another_count_for_less_than_days_that_do_not():
    spell_D = np.repeat(np.random.default_rng(1).normal(0.3, 1, 12), 8)
    width = [
        found.high - found.low
        for in_order in (True, False)
        for found in [
            difference(
                [DayScores(spell_D, np.ones(96), in_order)],
                [DayScores(np.zeros(96), np.ones(96), in_order)],
            )
        ]
    ]
    assert width[0] > 1.5 * width[1]


@given(st.integers(2, 30), st.integers(0, 9))
def test_it_holds_its_mean_and_turns_with_the_sides(days, seed):
    one, other = (by_day(np.random.default_rng([seed, n]).normal(0, 1, days)) for n in (0, 1))
    there, back = difference([one], [other]), difference([other], [one])
    assert there.low <= there.mean <= there.high
    assert (there.mean, there.low, there.high) == pytest.approx((-back.mean, -back.high, -back.low))


@pytest.mark.parametrize(
    ("ours", "baseline", "more", "verdict"),
    [
        ([0.5], [0.3], True, "yes"),
        ([0.5], [0.3], False, "**no**"),
        ([0.5], [0.499], True, "level"),  # within a hundredth
        ([0.3, 0.7], [0.4, 0.4], True, "level"),  # within its spread over seeds
        ([0.3, 0.7], [0.2, 0.6], True, "yes"),  # the same more for each seed
    ],
)
def test_a_verdict_needs_more_than_a_hundredth_and_the_spread(ours, baseline, more, verdict):
    by_method = {
        "ours": [by_day([one] * 30) for one in ours],
        "plain": [by_day([one] * 30) for one in baseline],
        "unknown": [by_day([np.nan] * 30)],
    }
    found = Verdict.of("a case", "a score", by_method, OURS, more=more)
    assert (found.name, found.beats) == ("plain", verdict)


def test_a_verdict_needs_more_than_the_days_differ():
    by_method = {"ours": [hits(40, 15)] * 3, "plain": [hits(40, 12)] * 3}
    found = Verdict.of("a case", "hits", by_method, OURS, more=True)
    assert found.beats == "level"
    assert "| level (+0.075; -0." in found.row()


def test_who_finds_a_full_car_park_drives_on_and_walks_back():
    pace = Pace(walk_m=100, drive_m=500, full=3)
    state = lots(
        [[5.0], [5.0], [5.0]], requests=[ask(4)]
    )  # 1 km apart, all want to be at the first
    plan = NearestPlace()(state)
    truth_NH = np.array([[1.0], [0.0], [2.5]], np.float32)
    total, cars = minutes(state, plan, truth_NH, pace)
    # one parks; two pass a full one on their way to the third, 2 km off; the last finds nothing
    assert (total, cars) == (pytest.approx(2 * (2 * 3 + 2000 / 500 + 2000 / 100) + 30, rel=0.02), 4)
    assert minutes(state, plan, np.full((3, 1), 9, np.float32), pace) == (pytest.approx(0), 4)


def test_who_is_sent_nowhere_has_found_nothing_and_who_is_sent_where_nobody_counted_is_left_out():
    nowhere = lots([[np.nan]], requests=[ask(2)])
    plan = NearestPlace()(nowhere)
    assert minutes(nowhere, plan, np.array([[np.nan]], np.float32)) == (0.0, 0)
    empty = type(plan)((), plan.reasons, 0.0, plan.valid_until_s, plan.confirm)
    assert minutes(nowhere, empty, np.array([[5.0]], np.float32)) == (60.0, 2)


def test_detours_are_scored_by_decision_and_wrong_ones_by_detour():
    """Four decisions in two quarters of a day; the first gives two detours, one of them wrong."""
    found = Detours("x", [0, 3, 72, 75], [0, 0, 75], [1.0, 2.0, 3.0], [4.0, -1.0, 5.0])
    assert found.a_decision.weight_D.tolist() == [2.0, 2.0]
    assert found.a_decision.sum_D.tolist() == [3.0, 5.0]
    assert found.a_decision.score == pytest.approx(8 / 4)
    assert found.longer.weight_D.tolist() == [2.0, 1.0]
    assert found.longer.score == pytest.approx(1 / 3)
