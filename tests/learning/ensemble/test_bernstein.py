import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcity.learning.ensemble.bernstein import BOAState, init_boa


@settings(max_examples=60)
@given(
    seed=st.integers(0, 999),
    experts=st.integers(1, 6),
    drift=st.floats(-1, 1),
    burst=st.floats(1, 50),
)
def test_regret_to_every_expert_stays_under_its_bound(seed, experts, drift, burst):
    rng = np.random.default_rng(seed)
    loss_TE = rng.normal(size=(200, experts)) + drift * np.arange(experts)
    loss_TE[rng.random(200) < 0.05] *= burst
    loss_TE[100:] *= rng.choice([-1.0, 1.0])  # what was good turns bad
    state = init_boa(rng.uniform(0.1, 1, experts))
    saved_TE = np.zeros_like(loss_TE)
    for t, loss_E in enumerate(loss_TE):
        saved_TE[t] = state.weights_GE[0] @ loss_E - loss_E
        state = state.update(loss_E[None])
    wide_E = np.log(1 / state.prior_E) + 4  # log log T and constants of the theorem
    bound_E = 2 * np.sqrt(wide_E * (saved_TE**2).sum(axis=0)) + 2 * wide_E * np.abs(saved_TE).max()
    assert (saved_TE.sum(axis=0) <= bound_E + 1e-9).all()


def test_groups_learn_each_by_its_own_truths():
    rng = np.random.default_rng(0)
    alone = [init_boa([0.7, 0.3]) for _ in range(3)]
    together = init_boa([0.7, 0.3], groups=3)
    for _ in range(40):
        loss_GE, revealed_G = rng.normal(size=(3, 2)), rng.random(3) < 0.5
        together = together.update(np.where(revealed_G[:, None], loss_GE, 0.5))  # alike: nothing
        alone = [
            one.update(loss_E[None]) if revealed else one
            for one, loss_E, revealed in zip(alone, loss_GE, revealed_G, strict=True)
        ]
    expected = np.concatenate([one.weights_GE for one in alone])
    assert np.allclose(together.weights_GE, expected)
    assert not np.allclose(expected[0], expected[1])
    parts = BOAState.together([together.groups(slice(0, 1)), together.groups(np.array([1, 2]))])
    assert np.array_equal(parts.weights_GE, together.weights_GE)


@pytest.mark.parametrize("prior", [[], [0.5, 0.0], [1.0, -1.0], [np.nan, 1.0]])
def test_refuses_a_prior_that_is_none(prior):
    with pytest.raises(ValueError, match="prior over zero"):
        init_boa(prior)
