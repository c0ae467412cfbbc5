"""Experts blend to weights that sum to one, and to the prior where nothing else is shown."""

import numpy as np
import pytest

from benchmarks.ferrara.blend import apply_blend, fit_blend

ORIGINS, HORIZON = 60, 24


def town(seed=0, origins=ORIGINS):
    """Truth, and three experts: each with noise of its own, the last the noisiest."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(10, 2, (origins, 2, HORIZON)).astype(np.float32)
    noises = [rng.normal(0, spread, truth.shape) for spread in (0.5, 0.7, 2.0)]
    return np.stack([truth + noise for noise in noises]).astype(np.float32), truth


def error(said, truth):
    return float(np.nanmean(np.abs(said - truth)))


def test_a_blend_errs_less_than_its_best_expert_and_than_the_mean_on_new_origins():
    said, truth = town()
    weights = fit_blend(said, truth)
    new_forecast, new_truth = town(seed=1)
    best = min(error(one, new_truth) for one in new_forecast)
    assert error(apply_blend(new_forecast, weights), new_truth) < 0.9 * best
    assert error(apply_blend(new_forecast, weights), new_truth) < 0.6 * error(
        new_forecast.mean(0), new_truth
    )
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    assert weights[0] > weights[1] > weights[2]


def test_weights_are_the_least_absolute_error_of_all_blends():
    said, truth = town()
    weights = fit_blend(said, truth, shrink=1e-3)
    found = error(apply_blend(said, weights), truth)
    grid = [(a, b, 1 - a - b) for a in np.linspace(0, 1, 41) for b in np.linspace(0, 1 - a, 21)]
    least = min(error(apply_blend(said, np.array(one)), truth) for one in grid)
    assert found < 1.002 * least


def test_shrinking_draws_to_the_prior_and_infinitely_much_is_the_prior():
    said, truth = town()
    prior = np.array([0.2, 0.2, 0.6])
    apart = [
        np.abs(fit_blend(said, truth, prior_E=prior, shrink=s) - prior).sum()
        for s in (0.1, 10.0, 1000.0, np.inf)
    ]
    assert apart == sorted(apart, reverse=True)
    assert apart[0] > 0.5
    assert apart[-1] == 0


def test_the_pull_to_the_prior_counts_as_many_origins_as_are_told():
    said, truth = town(origins=40)
    prior, shrink = np.array([0.2, 0.2, 0.6]), 20.0
    unit = error(apply_blend(said, prior), truth)

    def cost(weights):
        parts = weights[weights > 0] * np.log(weights[weights > 0] / prior[weights > 0])
        return error(apply_blend(said, weights), truth) / unit + shrink / 40 * parts.sum()

    found = fit_blend(said, truth, prior_E=prior, shrink=shrink)
    grid = [(a, b, 1 - a - b) for a in np.linspace(0, 1, 41) for b in np.linspace(0, 1 - a, 41)]
    least = min(cost(np.array(one)) for one in grid)
    assert cost(found) < least + 0.001


def test_rare_great_errors_count_by_their_size_not_its_square():
    rng = np.random.default_rng(4)
    truth = np.zeros((400, 1, 1), np.float32)
    steady = rng.choice([-1.0, 1.0], truth.shape)
    mostly_right = np.where(rng.random(truth.shape) < 0.05, 10.0, 0.0) * steady
    said = np.stack([steady, mostly_right]).astype(np.float32)
    assert fit_blend(said, truth, shrink=0.01)[1] > 0.95


def test_a_prior_need_not_sum_to_one():
    said, truth = town()
    np.testing.assert_allclose(
        fit_blend(said, truth, prior_E=[1, 1, 2], shrink=np.inf), [0.25, 0.25, 0.5]
    )


def test_experts_that_are_alike_keep_the_prior():
    rng = np.random.default_rng(3)
    truth = rng.normal(10, 2, (30, 1, HORIZON)).astype(np.float32)
    noise = rng.normal(0, 1, (2, 1, 1, HORIZON)).repeat(30, axis=1)
    said = (truth + noise * np.where(np.arange(30) % 2, 1, -1)[None, :, None, None]).astype("f4")
    alike = np.stack([said[0], said[0]])
    np.testing.assert_allclose(fit_blend(alike, truth), [0.5, 0.5], atol=1e-6)


def test_few_origins_keep_the_prior():
    said, truth = town(origins=6)
    np.testing.assert_array_equal(fit_blend(said, truth), np.full(3, 1 / 3))


def test_what_is_missing_counts_nowhere():
    said, truth = town()
    whole = fit_blend(said[:, 10:], truth[10:], shrink=5.0)
    said, truth = said.copy(), truth.copy()
    truth[:5] = np.nan
    said[1, 5:10] = np.nan
    part = fit_blend(said, truth, shrink=6.0)
    np.testing.assert_allclose(part, whole, atol=0.01)
    assert np.isfinite(part).all()
    np.testing.assert_array_equal(
        fit_blend(said, np.full_like(truth, np.nan), shrink=3.0), np.full(3, 1 / 3)
    )


def test_a_silent_expert_leaves_its_weight_to_the_others():
    said = np.array([[[[1.0, 1.0, np.nan]]], [[[3.0, np.nan, np.nan]]]], np.float32)
    found = apply_blend(said, np.array([0.5, 0.5]))
    np.testing.assert_array_equal(found, [[[2.0, 1.0, np.nan]]])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"truth_BNH": np.zeros((3, 2, HORIZON), np.float32)}, "the truth has"),
        ({"shrink": 0.0}, "shrink is 0"),
        ({"shrink": float("nan")}, "shrink is nan"),
        ({"prior_E": [1.0, 2.0]}, "give 3 numbers"),
        ({"prior_E": [1.0, -1.0, 1.0]}, "give 3 numbers"),
        ({"prior_E": [0.0, 0.0, 0.0]}, "trusts no expert"),
    ],
)
def test_what_cannot_be_used_is_named(changes, words):
    said, truth = town()
    settings = {"forecast_EBNH": said, "truth_BNH": truth} | changes
    with pytest.raises(ValueError, match=words):
        fit_blend(**settings)
