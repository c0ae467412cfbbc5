"""A joined expert that errs much more than the party's own is set aside, and comes back."""

import numpy as np
import pytest

from deepcity.learning.ensemble.multi_view_ensemble import init_ensemble, run_ensemble
from deepcity.learning.ensemble.recent_errors import ExpertRole, RecentErrors
from deepcity.runs.update.kept_replay import ensemble_groups, ensemble_of

ROLES = np.array([ExpertRole.REFERENCE, ExpertRole.OWN, ExpertRole.JOINED, ExpertRole.JOINED])


def after(*errors):
    state = RecentErrors.begin(ROLES)
    for one in errors:
        state = state.update(np.array(one, float))
    return state


def test_only_joined_experts_are_set_aside_and_their_weight_goes_to_the_first():
    state = after([1, 9, 1, 9])
    assert state.aside_E.tolist() == [False, False, False, True]
    weights = state.without(np.array([[0.1, 0.2, 0.3, 0.4]]))
    np.testing.assert_allclose(weights, [[0.5, 0.2, 0.3, 0.0]])
    assert not RecentErrors.begin(ROLES).aside_E.any()


def test_the_longer_it_erred_the_later_it_comes_back():
    def away(bad):
        state, steps = after(*[[1, 1, 1, 1]] * 100, *[[1, 1, 1, 6]] * bad), 0
        while state.aside_E[3]:
            state, steps = state.update(np.ones(4)), steps + 1
        return steps

    assert 0 < away(2) < away(24) < 200


@pytest.mark.parametrize(("roles", "most"), [(ROLES[[0, 2]], 1.15), (None, 9.0)])
def test_a_turncoat_costs_a_few_steps_and_not_days(roles, most):
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
        init_ensemble([0.5, 0.5], 1, roles),
    )
    late = np.abs(found.forecast_BNH - truth)[200:].mean()
    assert 1.0 < late < most
    if roles is not None:
        assert found.ensemble.weights_E[0] == 1


def test_a_bundle_keeps_it_and_an_older_bundle_has_none():
    kept = init_ensemble([0.25] * 4, 1, ROLES)
    groups = ensemble_groups(kept, "ensemble")
    again = ensemble_of(groups, "ensemble").recent
    np.testing.assert_array_equal(again.role_E, ROLES)
    older = {name: part for name, part in groups.items() if not name.endswith("recent")}
    assert ensemble_of(older, "ensemble").recent is None
