"""Which rows a refining learns from, and by which it is judged."""

from dataclasses import replace

import numpy as np
import pytest

from deepcity.city.problem import Problem
from deepcity.data.windows import Span
from deepcity.intercity.new_days import MOST, Known, NewDays, drawn, new_days, told_origins

DAY = 24
KNOWN = Known(
    aside_to=20 * DAY, learned_to=20 * DAY, seen_to=25 * DAY, end=32 * DAY, horizon=6, day=DAY
)


def test_the_newest_week_judges_and_all_before_it_is_learned_from():
    found = new_days("p", KNOWN)
    assert found == NewDays(Span(20 * DAY, 25 * DAY), Span(25 * DAY, 32 * DAY))


def test_no_day_is_left_out_from_one_refining_to_the_next():
    first = new_days("p", KNOWN)
    after = replace(KNOWN, learned_to=first.fresh.end, seen_to=KNOWN.end, end=KNOWN.end + 9 * DAY)
    second = new_days("p", after)
    assert second.fresh.start <= first.judged.start
    assert second.fresh.end == second.judged.start == after.end - 7 * DAY


def test_rows_learned_lately_are_learned_again_and_long_ago_not():
    long = replace(KNOWN, learned_to=95 * DAY, seen_to=100 * DAY, end=107 * DAY)
    assert new_days("p", long).fresh == Span(72 * DAY, 100 * DAY)
    behind = replace(long, learned_to=40 * DAY)
    assert new_days("p", behind).fresh.start == 40 * DAY


def test_days_aside_are_never_learned_from():
    assert new_days("p", KNOWN).fresh.start == KNOWN.aside_to


def test_nothing_new_is_none():
    assert new_days("p", replace(KNOWN, end=KNOWN.seen_to)) is None


@pytest.mark.parametrize(("horizon", "new", "lacking"), [(6, 5, 19), (6, 23, 1), (48, 24, 24)])
def test_fewer_than_a_day_and_a_forecast_are_a_problem_that_says_how_many_lack(
    horizon, new, lacking
):
    found = new_days("p", replace(KNOWN, horizon=horizon, end=KNOWN.seen_to + new))
    assert isinstance(found, Problem)
    assert found.value == new
    assert f"once {lacking} more have come" in str(found)


@pytest.mark.parametrize("new", [24, 25, 100, 24 * 7, 24 * 40])
@pytest.mark.parametrize("horizon", [1, 6, 24])
def test_both_spans_hold_a_forecast_and_never_overlap(new, horizon):
    known = replace(KNOWN, horizon=horizon, end=KNOWN.seen_to + new)
    found = new_days("p", known)
    assert len(found.fresh) >= horizon
    assert len(found.judged) >= known.least
    assert found.fresh.end == found.judged.start >= known.seen_to
    assert found.judged.end == known.end


def test_origins_go_on_where_those_before_ended():
    told = told_origins(KNOWN)
    assert told[0] == KNOWN.seen_to - KNOWN.horizon + 1
    assert told[-1] == KNOWN.end - KNOWN.horizon


def test_rows_drawn_by_lot_meet_every_hour():
    many = np.arange(24 * MOST)
    found = drawn(many, 3)
    assert len(found) == MOST
    assert set(found % 24) == set(range(24))
    assert (np.diff(found) > 0).all()
