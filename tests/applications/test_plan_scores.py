"""Plans are scored by the share that finds a space, and how far they walk."""

import numpy as np
import pytest
from parking_lots import ask, lots, sent

from deepcity.applications.tasks.plan import LeastExpectedTime
from deepcity.applications.tasks.plan_scores import NearestPlace, plan_score


def test_a_plan_is_scored_by_who_finds_a_space():
    state = lots([[5.0, 5.0], [5.0, 5.0]], requests=[ask(4, 0, "a"), ask(3, 1, "b")])
    plan = LeastExpectedTime("park")(state)
    assert sent(plan) == {"lot0": 5, "lot1": 2}
    truth = np.array([[2.0, 4.0], [np.nan, 1.0]], np.float32)
    found = plan_score(state, plan, truth)
    # 2 of 4 park at lot0; the fifth finds 4 - 2 left there; of two at lot1 one does
    assert (found.asked, found.found) == (7, 2 + 1 + 1)
    assert found.walked_m == pytest.approx(1000, rel=0.02)


def test_who_is_sent_where_nothing_was_measured_is_not_judged():
    state = lots([[5.0]], requests=[ask(3)])
    plan = LeastExpectedTime("park")(state)
    assert plan_score(state, plan, np.array([[np.nan]], np.float32)).asked == 0


def test_the_plans_to_beat():
    state = lots([[0.0], [2.0]], requests=[ask(4)])
    assert sent(NearestPlace()(state)) == {"lot0": 4}
    assert sent(NearestPlace(least_free=1)(state)) == {"lot1": 4}
    counted = sent(NearestPlace(least_free=1, count_down=True)(state))
    assert counted == {"lot1": 2, "lot0": 2}
