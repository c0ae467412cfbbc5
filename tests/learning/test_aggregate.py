import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcity.learning.aggregate import aggregate, beginning


def stream(seed, good, origins=120, places=2, horizon=3):
    """Truths, and experts that err by the given shares of a truth's spread."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(origins, places, horizon)).astype(np.float32)
    said = [truth + share * rng.normal(size=truth.shape) for share in good]
    return np.array(said, np.float32), truth, np.arange(origins) * horizon


def mae(said, truth):
    return float(np.nanmean(np.abs(said - truth)))


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
    standing = beginning(rng.uniform(0.1, 1, experts))
    saved_TE = np.zeros_like(loss_TE)
    for t, loss_E in enumerate(loss_TE):
        saved_TE[t] = standing.weights_E @ loss_E - loss_E
        standing = standing.after(loss_E)
    wide_E = np.log(1 / standing.prior_E) + 4  # log log T and constants of the theorem
    bound_E = 2 * np.sqrt(wide_E * (saved_TE**2).sum(axis=0)) + 2 * wide_E * np.abs(saved_TE).max()
    assert (saved_TE.sum(axis=0) <= bound_E + 1e-9).all()


def test_an_expert_with_half_the_prior_is_hardly_lost_to():
    said, truth, origins = stream(1, (1, 3, 3, 3, 3, 3))
    found = aggregate(said, truth, origins, beginning([0.5] + [0.1] * 5))
    assert mae(found.forecast_BNH, truth) <= mae(said[0], truth) * 1.05
    assert found.standing.weights_E[0] > 0.5


def test_weights_leave_an_expert_that_errs_more():
    said, truth, origins = stream(2, (0.2, 3))
    found = aggregate(said, truth, origins, beginning([0.1, 0.9]))
    assert found.standing.weights_E[0] > 0.9
    assert mae(found.forecast_BNH[60:], truth[60:]) < 1.2 * mae(said[0, 60:], truth[60:])


def test_mixes_where_two_err_apart():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(300, 1, 1)).astype(np.float32)
    said = np.array([truth + 1 + 0.1 * rng.normal(size=truth.shape), truth - 1], np.float32)
    found = aggregate(said, truth, np.arange(300), beginning([0.5, 0.5]))
    assert mae(found.forecast_BNH, truth) < 0.3 * min(mae(one, truth) for one in said)


@given(scale=st.sampled_from([1e-6, 1e-2, 1e3, 1e6]))
@settings(max_examples=20)
def test_units_do_not_matter(scale):
    said, truth, origins = stream(3, (0.5, 1, 2))
    found = aggregate(said, truth, origins, beginning([0.5, 0.3, 0.2]))
    scaled = aggregate(said * scale, truth * scale, origins, beginning([0.5, 0.3, 0.2]))
    assert np.allclose(found.weights_BE, scaled.weights_BE, atol=1e-3)


@given(cut=st.integers(1, 119), apart=st.sampled_from([1, 2, 3, 5]))
@settings(max_examples=20)
def test_no_forecast_sees_a_truth_to_come(cut, apart):
    said, truth, _ = stream(3, (0.5, 1, 2))
    origins = np.arange(len(truth)) * apart
    known = (origins[:, None] + np.arange(3) < origins[cut])[:, None]
    other = np.where(known, truth, 99).astype(np.float32)
    kept = aggregate(said, truth, origins, _prior())
    changed = aggregate(said, other, origins, _prior())
    assert np.array_equal(changed.weights_BE[: cut + 1], kept.weights_BE[: cut + 1])
    assert not np.array_equal(changed.standing.regret_E, kept.standing.regret_E)


def test_near_steps_teach_before_far_ones_have_passed():
    said, truth, _ = stream(7, (0.2, 3), origins=12, horizon=24)
    found = aggregate(said, truth, np.arange(12), beginning([0.5, 0.5]))
    assert np.allclose(found.weights_BE[0], 0.5)
    assert found.weights_BE[6, 0] > 0.7
    before = aggregate(said[:, :6], truth[:6], np.arange(6), beginning([0.5, 0.5]))
    assert before.standing.weights_E[0] > found.weights_BE[6, 0]  # its far steps teach as well


def test_forecasts_of_one_step_teach_once():
    said, truth, origins = stream(8, (0.5, 1))
    once = aggregate(said, truth, origins, beginning([0.5, 0.5]))
    twice = aggregate(
        np.repeat(said, 2, axis=1),
        np.repeat(truth, 2, axis=0),
        np.repeat(origins, 2),
        beginning([0.5, 0.5]),
    )
    assert np.allclose(once.standing.regret_E, twice.standing.regret_E)


def _prior():
    return beginning([0.5, 0.3, 0.2])


def test_goes_on_where_it_stood():
    said, truth, origins = stream(4, (0.3, 1))
    whole = aggregate(said, truth, origins, beginning([0.5, 0.5]))
    first = aggregate(said[:, :50], truth[:50], origins[:50], beginning([0.5, 0.5]))
    rest = aggregate(said[:, 50:], truth[50:], origins[50:], first.standing)
    assert np.array_equal(
        whole.forecast_BNH, np.concatenate([first.forecast_BNH, rest.forecast_BNH])
    )


def test_missing_truths_teach_nothing():
    said, truth, origins = stream(5, (0.3, 1))
    found = aggregate(said, truth * np.nan, origins, beginning([0.7, 0.3]))
    assert np.allclose(found.weights_BE, [0.7, 0.3])
    assert np.isfinite(found.forecast_BNH).all()


def test_experts_that_say_the_same_keep_their_priors():
    said, truth, origins = stream(6, (0.5,))
    found = aggregate(np.repeat(said, 3, axis=0), truth, origins, beginning([0.5, 0.25, 0.25]))
    assert np.allclose(found.forecast_BNH, said[0], atol=1e-5)


@pytest.mark.parametrize("prior", [[], [0.5, 0.0], [1.0, -1.0], [np.nan, 1.0]])
def test_refuses_a_prior_that_is_none(prior):
    with pytest.raises(ValueError, match="prior over zero"):
        beginning(prior)
