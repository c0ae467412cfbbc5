"""Which rows a refining learns from, and by which it is judged."""

from dataclasses import replace

import numpy as np
import pytest

from deepcity.city.problem import Problem
from deepcity.data.windows import Span
from deepcity.runs.update.refine_spans import (
    MAX_ORIGINS,
    BundlePosition,
    RefineSpans,
    refine_spans,
    sample_origins,
    unseen_origins,
)

DAY = 24
KNOWN = BundlePosition(
    aside_to=20 * DAY, learned_to=20 * DAY, seen_to=25 * DAY, end=32 * DAY, horizon=6, day=DAY
)


def test_the_newest_week_judges_and_all_before_it_is_learned_from():
    found = refine_spans("p", KNOWN)
    assert found == RefineSpans(Span(20 * DAY, 25 * DAY), Span(25 * DAY, 32 * DAY))


def test_no_day_is_left_out_from_one_refining_to_the_next():
    first = refine_spans("p", KNOWN)
    after = replace(KNOWN, learned_to=first.fresh.end, seen_to=KNOWN.end, end=KNOWN.end + 9 * DAY)
    second = refine_spans("p", after)
    assert second.fresh.start <= first.holdout.start
    assert second.fresh.end == second.holdout.start == after.end - 7 * DAY


def test_rows_learned_lately_are_learned_again_and_long_ago_not():
    long = replace(KNOWN, learned_to=95 * DAY, seen_to=100 * DAY, end=107 * DAY)
    assert refine_spans("p", long).fresh == Span(72 * DAY, 100 * DAY)
    behind = replace(long, learned_to=40 * DAY)
    assert refine_spans("p", behind).fresh.start == 40 * DAY


def test_days_aside_are_never_learned_from():
    assert refine_spans("p", KNOWN).fresh.start == KNOWN.aside_to


def test_nothing_new_is_none():
    assert refine_spans("p", replace(KNOWN, end=KNOWN.seen_to)) is None


@pytest.mark.parametrize(("horizon", "new", "lacking"), [(6, 5, 19), (6, 23, 1), (48, 24, 24)])
def test_fewer_than_a_day_and_a_forecast_are_a_problem_that_says_how_many_lack(
    horizon, new, lacking
):
    found = refine_spans("p", replace(KNOWN, horizon=horizon, end=KNOWN.seen_to + new))
    assert isinstance(found, Problem)
    assert found.value == new
    assert f"once {lacking} more have come" in str(found)


@pytest.mark.parametrize("new", [24, 25, 100, 24 * 7, 24 * 40])
@pytest.mark.parametrize("horizon", [1, 6, 24])
def test_both_spans_hold_a_forecast_and_never_overlap(new, horizon):
    known = replace(KNOWN, horizon=horizon, end=KNOWN.seen_to + new)
    found = refine_spans("p", known)
    assert len(found.fresh) >= horizon
    assert len(found.holdout) >= known.least
    assert found.fresh.end == found.holdout.start >= known.seen_to
    assert found.holdout.end == known.end


def test_origins_go_on_where_those_before_ended():
    unseen = unseen_origins(KNOWN)
    assert unseen[0] == KNOWN.seen_to - KNOWN.horizon + 1
    assert unseen[-1] == KNOWN.end - KNOWN.horizon


def test_rows_drawn_by_lot_meet_every_hour():
    many = np.arange(24 * MAX_ORIGINS)
    found = sample_origins(many, 3)
    assert len(found) == MAX_ORIGINS
    assert set(found % 24) == set(range(24))
    assert (np.diff(found) > 0).all()
