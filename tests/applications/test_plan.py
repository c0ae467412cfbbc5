"""Drivers are sent where a space is sure enough, nearest first, and never more than fit."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parking_lots import ask, lots, sent

from deepcity.applications.tasks.plan import NearestSureSpace
from deepcity.city.place import Place


def test_the_nearest_lot_is_passed_where_a_space_is_not_sure():
    errors = np.linspace(-5, 5, 11)
    state = lots([[3.0], [30.0]], errors, requests=[ask()])
    found = NearestSureSpace("park")(state)
    assert sent(found) == {"lot1": 1}
    assert found.actions[0].numbers["walk-m"] == pytest.approx(1000, rel=0.02)
    assert found.certainty == 1.0
    assert sent(NearestSureSpace("park", sure=0.5)(state)) == {"lot0": 1}


def test_many_who_ask_are_spread():
    state = lots([[4.0], [3.0], [9.0]], requests=[ask(6)])
    assert sent(NearestSureSpace("park")(state)) == {"lot0": 4, "lot1": 2}


def test_spaces_given_to_earlier_arrivals_are_gone_for_later_ones():
    asked = [ask(2, step=1, name="late"), ask(2, step=0, name="early")]
    found = NearestSureSpace("park")(lots([[2.0, 2.0], [5.0, 5.0]], requests=asked))
    assert [(one.request, one.place) for one in found.actions] == [
        ("early", "lot0"),
        ("late", "lot1"),
    ]


def test_who_cannot_be_placed_is_counted():
    found = NearestSureSpace("park")(lots([[2.0], [1.0]], requests=[ask(5)]))
    assert sum(sent(found).values()) == 3
    assert {reason.code: reason.numbers for reason in found.reasons}["no-space"] == {"count": 2.0}
    assert found.certainty == pytest.approx(3 / 5)


def test_lots_without_a_position_are_left_out():
    state = lots([[9.0], [9.0]], requests=[ask(1)])
    state = replace(state, places=(Place("lot0"), state.places[1]))
    assert sent(NearestSureSpace("park")(state)) == {"lot1": 1}


STATES = st.builds(
    lots,
    st.lists(st.lists(st.floats(0, 80), min_size=2, max_size=2), min_size=1, max_size=4),
    st.lists(st.floats(-30, 30), min_size=1, max_size=8),
    st.sampled_from([0.0, 3.0, 20.0, None]),
    st.lists(st.integers(0, 30), max_size=3).map(
        lambda counts: [ask(n, k % 2, f"r{k}") for k, n in enumerate(counts)]
    ),
)


@given(state=STATES)
def test_no_lot_is_sent_more_than_it_holds(state):
    found = NearestSureSpace("park")(state)
    most_N = (state.forecast_NH[:, :, None] + state.past.errors_BNH.max(0)[:, :, None]).max((1, 2))
    for place, most in zip(state.places, most_N, strict=True):
        assert sent(found)[place.id] <= max(0.0, most)
        assert sent(found)[place.id] <= (np.inf if place.capacity is None else place.capacity)
    asked = sum(request.count for request in state.requests)
    assert sum(sent(found).values()) <= asked
    by_request = Counter()
    for action in found.actions:
        by_request[action.request] += action.numbers["count"]
    assert all(by_request[one.id] <= one.count for one in state.requests)


@given(state=STATES)
def test_a_surer_plan_never_walks_less_for_its_first_driver(state):
    first = [
        NearestSureSpace("park", sure=sure)(replace(state, requests=(ask(1),))).actions
        for sure in (0.5, 0.9)
    ]
    if all(first) and all(one[0].numbers["probability"] >= 0.9 for one in first):
        assert first[0][0].numbers["walk-m"] <= first[1][0].numbers["walk-m"]
