"""A joined expert that errs much more than the party's own is set aside, and comes back."""

import numpy as np
import pytest

from deepcity.learning.ensemble.multi_view_ensemble import init_ensemble, run_ensemble
from deepcity.learning.ensemble.own_errors import REACH, OwnErrors
from deepcity.learning.ensemble.recent_errors import TOLERATED, RecentErrors, against_bounds
from deepcity.runs.update.kept_replay import ensemble_groups, ensemble_of

JOINED = np.array([False, False, True, True])


def after(*errors):
    state = RecentErrors.begin(JOINED, 1)
    for one in errors:
        state = step(state, one)
    return state


def step(state, errors):
    """One more step, in which the experts err so much."""
    return state.update(np.array(errors, np.float32)[None, :, None], np.zeros((1, 1), np.float32))


def test_only_joined_experts_are_set_aside_and_their_weight_goes_to_the_first():
    state = after([1, 9, 1, 9])
    assert state.aside_E.tolist() == [False, False, False, True]
    weights = state.without(np.array([[0.1, 0.2, 0.3, 0.4]]))
    np.testing.assert_allclose(weights, [[0.5, 0.2, 0.3, 0.0]])
    assert not RecentErrors.begin(JOINED, 1).aside_E.any()


def test_the_longer_it_erred_the_later_it_comes_back():
    def away(bad):
        state, steps = after(*[[1, 1, 1, 1]] * 100, *[[1, 1, 1, 6]] * bad), 0
        while state.aside_E[3]:
            state, steps = step(state, [1, 1, 1, 1]), steps + 1
        return steps

    assert 0 < away(2) < away(24) < 200


@pytest.mark.parametrize(("joined", "most"), [(JOINED[[0, 2]], 1.05), (None, 9.0)])
def test_a_turncoat_costs_a_few_steps_and_not_days(joined, most):
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(400, 1, 4)).astype(np.float32)
    for later in range(1, 4):  # forecasts of one step have one truth
        truth[:-later, :, later] = truth[later:, :, 0]
    own = truth + rng.choice([-1.0, 1.0], truth.shape).astype(np.float32)
    turned = truth.copy()
    turned[200:] += 6
    found = run_ensemble(
        np.stack([own, turned]),
        truth,
        np.arange(400),
        np.zeros((400, 4), int),
        init_ensemble([0.5, 0.5], 1, joined),
    )
    late = np.abs(found.forecast_BNH - truth)[200:].mean()
    assert 1.0 < late < most
    if joined is not None:
        assert found.ensemble.weights_E[0] == pytest.approx(1)


def test_a_bundle_keeps_it_and_an_older_bundle_has_none():
    kept = init_ensemble([0.25] * 4, 2, JOINED)
    groups = ensemble_groups(kept, "ensemble")
    again = ensemble_of(groups, "ensemble").recent
    np.testing.assert_array_equal(again.joined_E, JOINED)
    assert again.own.total_N.shape == (2,)
    older = {name: part for name, part in groups.items() if not name.endswith("recent")}
    assert ensemble_of(older, "ensemble").recent is None


def test_a_member_that_turned_is_seen_though_its_older_forecasts_were_right():
    """23 forecasts of the step were made before it turned."""
    state, truth = RecentErrors.begin(JOINED[[0, 2]], 1), np.zeros((24, 1), np.float32)
    right = np.zeros((24, 2, 1), np.float32)
    right[:, 0] = 1.0
    for _ in range(50):
        state = state.update(right, truth)
    turned = right.copy()
    turned[-1, 1] = 6.0
    assert state.update(turned, truth).aside_E[1]


def test_joined_forecasts_stay_near_the_own_once_its_errors_are_known():
    far_ENH = np.array([10.0, 11.0, -1e6], np.float32).reshape(3, 1, 1)
    joined_E = np.array([False, False, True])
    own = OwnErrors.begin(1)
    np.testing.assert_array_equal(own.clip(far_ENH, joined_E), far_ENH)
    for _ in range(50):
        own = own.update(np.full((4, 1), 2.0, np.float32), np.zeros((4, 1), np.float32))
    clipped_ENH = own.clip(far_ENH, joined_E)
    np.testing.assert_allclose(clipped_ENH[:, 0, 0], [10, 11, 10 - REACH * 2], rtol=1e-6)
    nothing, something = np.full((4, 1), np.nan, np.float32), np.full((4, 1), 2.0, np.float32)
    for forecast_JN, truth_JN in ((something, nothing), (nothing, something)):
        unknown = own.update(forecast_JN, truth_JN)
        np.testing.assert_array_equal(unknown.total_N, own.total_N)
        np.testing.assert_array_equal(unknown.steps_N, own.steps_N)


def against_bound(state):
    """Errors and bounds at one moment."""
    found = against_bounds(state.error_ME[None], state.steps_M[None], state.joined_E)
    return [one_BE[0] for one_BE in found]


@pytest.mark.parametrize("seed", range(5))
def test_who_is_above_the_bound_is_who_is_set_aside(seed):
    rng = np.random.default_rng(seed)
    state = RecentErrors.begin(JOINED, 1)
    assert np.isinf(against_bound(state)[1]).all()
    for step_E in rng.gamma(2.0, size=(60, 4)):
        state = step(state, step_E)
        error_E, bound_E = against_bound(state)
        assert np.isinf(bound_E[:2]).all()
        assert (error_E > bound_E).tolist() == state.aside_E.tolist()


def test_the_evidence_is_the_error_in_the_memory_that_shows_it():
    calm, wild = [1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 9.0]
    error_E, bound_E = against_bound(after(*[calm] * 300, wild))
    assert error_E[3] > 3  # the short memory
    np.testing.assert_allclose(bound_E[2:], TOLERATED, rtol=1e-6)
