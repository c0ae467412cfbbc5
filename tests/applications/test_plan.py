"""Drivers are sent where they are to be expected there first, and never more than fit."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parking_lots import ask, lots, sent

from deepcity.applications.tasks.plan import LeastExpectedTime, Pace, Spaces, walk_m
from deepcity.city.place import Place


@pytest.mark.parametrize(("free", "place"), [(-4.0, "lot1"), (3.0, "lot0")])
def test_the_nearest_lot_is_passed_where_the_risk_is_worth_a_walk(free, place):
    # one lot is here, the other 1 km off: 12.5 minutes to walk, 18.5 from a full lot by way of it
    state = lots([[free], [30.0]], np.linspace(-5, 5, 11), requests=[ask()])
    found = LeastExpectedTime("park")(state)
    assert sent(found) == {place: 1}
    assert found.certainty == pytest.approx({"lot1": 1.0, "lot0": 8 / 11}[place])
    assert found.actions[0].numbers["walk-m"] == pytest.approx(1000 * (place == "lot1"), rel=0.02)


def test_a_full_lot_costs_the_wait_the_drive_on_and_the_walk_from_there():
    plan = LeastExpectedTime("park", pace=Pace(walk_m=100, drive_m=500, full=3))
    walk_N, chance_N = np.array([100.0, 300.0, 900.0, np.inf, 50.0]), np.array([0.5, 0.9, 1, 1, 0])
    found_N = plan.minutes_N(walk_N, chance_N)
    # 300 m off is the nearest sure one; who fails beyond it goes as far again
    assert found_N[:3] == pytest.approx([0.5 * 1 + 0.5 * (3 + 0.6 + 3), 0.9 * 3 + 0.1 * 6.6, 9])
    assert np.isinf(found_N[3:]).all()
    unsure_N = plan.minutes_N(walk_N, np.array([0.5, 0.5, 0, 1, 0]))
    assert unsure_N[0] == pytest.approx(0.5 * 1 + 0.5 * (3 + 1.8 + 9))


def test_many_who_ask_are_spread():
    state = lots([[4.0], [3.0], [9.0]], requests=[ask(6)])
    assert sent(LeastExpectedTime("park")(state)) == {"lot0": 4, "lot1": 2}


def test_spaces_given_to_earlier_arrivals_are_gone_for_later_ones():
    asked = [ask(2, step=1, name="late"), ask(2, step=0, name="early")]
    found = LeastExpectedTime("park")(lots([[2.0, 2.0], [5.0, 5.0]], requests=asked))
    assert [(one.request, one.place) for one in found.actions] == [
        ("early", "lot0"),
        ("late", "lot1"),
    ]


def test_who_cannot_be_placed_is_counted():
    found = LeastExpectedTime("park")(lots([[2.0], [1.0]], requests=[ask(5)]))
    assert sum(sent(found).values()) == 3
    assert {reason.code: reason.numbers for reason in found.reasons}["no-space"] == {"count": 2.0}
    assert found.certainty == pytest.approx(3 / 5)


def test_lots_without_a_position_are_left_out():
    state = lots([[9.0], [9.0]], requests=[ask(1)])
    state = replace(state, places=(Place("lot0"), state.places[1]))
    assert sent(LeastExpectedTime("park")(state)) == {"lot1": 1}


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
    found = LeastExpectedTime("park")(state)
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
def test_no_lot_is_better_for_the_first_driver(state):
    alone = replace(state, requests=(ask(1),))
    plan = LeastExpectedTime("park")
    spaces = Spaces.of(alone)
    minutes_N = plan.minutes_N(walk_m(alone, alone.requests[0]), spaces.chances_N(0))
    made = plan(alone)
    if made.actions:
        index = [place.id for place in alone.places].index(made.actions[0].place)
        assert minutes_N[index] == minutes_N.min()
        assert made.certainty == spaces.chance(index, 0) > 0
    else:
        assert np.isinf(minutes_N).all()


@given(state=STATES)
def test_a_group_is_sent_as_its_cars_would_be_one_by_one(state):
    apart = [
        replace(one, id=f"{one.id}-{car:02d}", count=1)
        for one in state.requests
        for car in range(one.count)
    ]
    together, single = (
        LeastExpectedTime("park")(one) for one in (state, replace(state, requests=apart))
    )
    assert sent(together) == sent(single)
    assert together.certainty == pytest.approx(single.certainty)


@given(state=STATES, taken=st.integers(0, 40))
def test_cars_alike_have_one_chance_and_the_next_has_another(state, taken):
    spaces = Spaces.of(state)
    spaces.take(0, 0, taken)
    before, count = spaces.chance(0, 0), spaces.same_chance(0, 0)
    assert spaces.take(0, 0, count - 1) == [before] * (count - 1)
    assert spaces.chance(0, 0) == before
    spaces.take(0, 0, 1)
    assert spaces.chance(0, 0) < before or before == 0
