import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from signals import QUICK, learner, panel, party_data

from deepcity.city.errors import LayerPackageError
from deepcity.city.level import LADDER, STEM, layers_up_to
from deepcity.learning.evaluation.bands import coverage, half_width
from deepcity.learning.evaluation.metrics import scores
from deepcity.learning.features.ridge_skip import apply_ridge_skip, ridge
from deepcity.learning.training.learner import EVERY_LAYER
from deepcity.learning.training.local_training import (
    TrainingSettings,
    learning_rate,
    loss,
    party_seed,
)
from deepcity.store.checkpoint import CheckpointStore


def equal(left, right):
    return all(
        np.array_equal(left[layer][name], right[layer][name])
        for layer in EVERY_LAYER
        for name in left[layer]
    )


def trained(one, rounds):
    for number in rounds:
        one.receive({})
        one.train_round(number)
    return one


def poison(one):
    """Finite layers under which no forecast is finite."""
    layers = one.export(("h1", "h2", "head"))
    return {
        layer: {name: np.full_like(part, 1e30) for name, part in tensors.items()}
        for layer, tensors in layers.items()
    }


def test_poisoned_layers_are_refused_and_training_goes_on():
    one = trained(learner(data=party_data(panel())), range(1))
    before, best = one.export(EVERY_LAYER), one.best
    assert np.isfinite(one.receive(poison(one)))
    assert equal(one.export(EVERY_LAYER), before)
    assert one.best <= best
    trained(one, range(1, 3))
    assert all(np.isfinite(part).all() for part in one.export(EVERY_LAYER)["h1"].values())


def test_a_start_from_poison_is_never_the_best_and_is_left_at_the_next_round():
    data = party_data(panel())
    healthy = learner(data=data)
    sick = learner(data=data)
    sick._keep(float("nan"))  # as an earlier version kept it
    good = healthy.export(EVERY_LAYER)
    poisoned = learner(data=data, start=poison(healthy))
    assert poisoned.best == np.inf
    for one in (sick, poisoned):
        assert np.isfinite(one.receive(good))
        assert one.best == pytest.approx(healthy.evaluate())


def test_a_step_that_cannot_be_computed_changes_no_weight():
    one = learner(data=party_data(panel()), start=poison(learner(data=party_data(panel()))))
    one.train_round(0)
    for tensors in one.export(EVERY_LAYER).values():
        assert all(np.isfinite(part).all() for part in tensors.values())


def test_a_forecast_that_is_not_finite_errs_infinitely_and_not_nothing():
    truth = np.array([[[1.0, np.nan, 2.0]]], np.float32)
    for bad in (np.nan, np.inf, -np.inf):
        found = scores(np.array([[[1.0, bad, bad]]], np.float32), truth)
        assert found.mae == found.rmse == np.inf
        assert found.mae_H[0] == 0
        assert np.isnan(found.mae_H[1])
    assert scores(np.array([[[1.0, np.nan, 2.0]]], np.float32), truth).mae == 0


def test_equal_seeds_train_equally_and_others_do_not():
    data = party_data(panel())
    one, two, other = (trained(learner(seed, data=data), range(2)) for seed in (0, 0, 1))
    assert equal(one.export(EVERY_LAYER), two.export(EVERY_LAYER))
    assert not equal(one.export(EVERY_LAYER), other.export(EVERY_LAYER))


def test_training_neither_reads_nor_moves_the_global_random_state():
    data = party_data(panel())
    torch.manual_seed(1)
    one = trained(learner(data=data), range(2))
    torch.manual_seed(2)
    expected = torch.rand(1)
    torch.manual_seed(2)
    two = trained(learner(data=data), range(2))
    assert torch.rand(1) == expected
    assert equal(one.export(EVERY_LAYER), two.export(EVERY_LAYER))


@pytest.mark.parametrize("frozen", [(), ("h1", "h2")])
def test_a_restored_learner_goes_on_bit_by_bit(tmp_path, frozen):
    """Through a checkpoint file, as a run does."""
    data = party_data(panel())
    straight = trained(learner(data=data, frozen=frozen), range(3))
    store = CheckpointStore(tmp_path)
    store.save("a", 1, {"me": trained(learner(data=data, frozen=frozen), range(1)).state()}, {})
    resumed = learner(data=data, frozen=frozen)
    resumed.restore(store.load_latest("a").arrays["me"])
    trained(resumed, range(1, 3))
    assert equal(straight.export(EVERY_LAYER), resumed.export(EVERY_LAYER))
    assert straight.best == resumed.best
    for key, value in straight.state().items():
        np.testing.assert_array_equal(value, resumed.state()[key], key)
    for one in (straight, resumed):
        one.keep_best()
    assert equal(straight.export(EVERY_LAYER), resumed.export(EVERY_LAYER))


def test_the_best_state_is_kept_whatever_comes_after():
    one = trained(learner(), range(1))
    one.receive({})
    best, layers = one.best, one.export(EVERY_LAYER)
    spoiled = {"head": {k: v + 50 for k, v in one.export(["head"])["head"].items()}}
    if one.evaluate() != best:
        one.keep_best()
        layers = one.export(EVERY_LAYER)
    assert one.receive(spoiled) > best
    one.keep_best()
    assert one.evaluate() == best
    assert equal(one.export(EVERY_LAYER), layers)


def test_layers_that_do_not_fit_leave_a_learner_as_it_was():
    one = learner()
    before, best = one.export(EVERY_LAYER), one.best
    with pytest.raises(LayerPackageError, match="h1 lacks"):
        one.receive({"h1": {}})
    assert equal(one.export(EVERY_LAYER), before)
    assert one.best == best


@pytest.mark.parametrize("level", [1, 5, 6])
def test_refitting_keeps_the_common_layers_and_the_original(level):
    one = trained(learner(), range(2))
    one.receive({})
    before = one.export(EVERY_LAYER)
    other = one.refit(layers_up_to(level), 12, seed=5)
    assert equal(one.export(EVERY_LAYER), before)
    one.keep_best()
    best = one.export(EVERY_LAYER)
    after = other.export(EVERY_LAYER)
    for layer in layers_up_to(level):
        for name in best[layer]:
            np.testing.assert_array_equal(best[layer][name], after[layer][name])
    assert other.evaluate() <= one.evaluate()


def test_refitting_leaves_alone_what_was_frozen_from_the_start():
    one = learner(frozen=["h1", "h2", "h3"], settings=QUICK.model_copy(update={"dropout": 0.0}))
    start = one.export(EVERY_LAYER)
    one.train_round(0)
    one.receive({})
    other = one.refit(["h1"], 12, seed=5)
    assert not other.network.h3.inner.weight.requires_grad
    assert other.network.h4.inner.weight.requires_grad
    for name, value in other.export(["h3"])["h3"].items():
        np.testing.assert_array_equal(value, start["h3"][name])


def test_refitting_for_no_steps_is_the_best_state():
    one = trained(learner(), range(2))
    other = one.refit(["h1"], 0, seed=5)
    one.keep_best()
    assert equal(one.export(EVERY_LAYER), other.export(EVERY_LAYER))


def test_it_starts_from_the_layers_it_is_given():
    source = trained(learner(seed=7), range(2)).export(LADDER)
    one = learner(start=source)
    for layer in LADDER:
        for name in source[layer]:
            np.testing.assert_array_equal(one.export([layer])[layer][name], source[layer][name])
    wrong = {"head": {k: v[..., :1] for k, v in source["head"].items()}}
    with pytest.raises(LayerPackageError, match=r"head/out\.weight is"):
        learner(start=wrong)


def test_the_proximal_term_holds_the_weights_back():
    data = party_data(panel())
    moves = []
    for proximal in (0.0, 50.0):
        one = learner(data=data)
        before = one.export([STEM])[STEM]["weight"]
        one.train_round(0, proximal=proximal)
        moves.append(np.abs(one.export([STEM])[STEM]["weight"] - before).sum())
    assert moves[1] < moves[0]


def test_learning_helps_on_what_can_be_learned():
    settings = TrainingSettings(rounds=4, local_steps=60, batch_size=64)
    one = learner(settings=settings, data=party_data(panel(60, 3)))
    begun = one.evaluate()
    trained(one, range(4))
    one.receive({})
    one.keep_best()
    assert one.evaluate() < begun


def test_missing_targets_give_no_loss_and_no_gradient():
    forecast = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    target = torch.tensor([[0.0, float("nan")], [float("nan"), 6.0]])
    error = loss(forecast, target, 0.5)
    assert error.item() == pytest.approx(0.5 * (1 + 2) / 2 + 0.5 * (1 + 4) / 2)
    error.backward()
    assert forecast.grad[0, 1] == forecast.grad[1, 0] == 0
    assert torch.isfinite(forecast.grad).all()
    nothing = loss(forecast, torch.full((2, 2), float("nan")), 0.5)
    assert nothing.item() == 0


def test_missing_truths_count_in_no_metric():
    forecast = np.array([[[1.0, 2.0]], [[3.0, 9.0]]], np.float32)
    truth = np.array([[[0.0, np.nan]], [[np.nan, 6.0]]], np.float32)
    found = scores(forecast, truth)
    assert (found.mae, found.rmse) == (2.0, pytest.approx(np.sqrt(5)))
    assert found.mae_H.tolist() == [1.0, 3.0]
    forecast[0, 0, 1] = 1e9  # where nothing was measured anything may be said
    assert scores(forecast, truth).mae == 2.0
    assert np.isnan(scores(forecast, truth * np.nan).mae)
    one_hour = scores(forecast, np.array([[[0.0, np.nan]], [[1.0, np.nan]]], np.float32))
    assert np.isnan(one_hour.mae_H[1])
    assert one_hour.mae == 1.5


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), level=st.sampled_from([0.5, 0.8, 0.9]))
def test_bands_hold_as_often_as_promised_when_days_are_alike(seed, level):
    rng = np.random.default_rng(seed)
    scale = np.array([1.0, 20.0])[:, None]
    errors = rng.standard_t(3, (4000, 2, 3)) * scale  # so many that chance is far below 0.06
    known, later = errors[:2000], errors[2000:]
    known[rng.random(known.shape) < 0.3] = np.nan
    half_NH = half_width(np.zeros_like(known), known, level)
    assert half_NH.shape == (2, 3)
    held = coverage(later, -half_NH, half_NH)
    assert abs(held - level) < 0.06
    assert (half_NH[1] > half_NH[0]).all()


def test_places_with_few_errors_take_the_widest_known_band():
    truth = np.abs(np.random.default_rng(0).normal(size=(50, 3, 2))).astype(np.float32)
    truth[3:, 1] = np.nan  # 3 errors cannot promise 90 %
    truth[:, 2] = np.nan
    half = half_width(np.zeros_like(truth), truth, 0.9)
    np.testing.assert_array_equal(half[1], half[0])
    np.testing.assert_array_equal(half[2], half[0])
    assert half_width(np.zeros_like(truth), truth * np.nan, 0.9).tolist() == [[0, 0]] * 3
    assert np.isnan(coverage(truth * np.nan, -half, half))


def test_ridge_recalls_a_linear_law_and_leaves_missing_rows_out():
    rng = np.random.default_rng(0)
    linear_features = rng.normal(size=(900, 2, 3, 4)).astype(np.float32)
    law = rng.normal(size=(3, 4)).astype(np.float32)
    deviation = apply_ridge_skip(linear_features, law)
    deviation[::2, 1] = np.nan
    np.testing.assert_allclose(ridge(linear_features, deviation), law, atol=0.05)
    assert (ridge(linear_features, deviation * np.nan) == 0).all()


def test_the_learning_rate_rises_then_falls():
    settings = TrainingSettings(rounds=10, local_steps=10)
    rates = [learning_rate(settings, step, 100) for step in range(100)]
    top = int(np.argmax(rates))
    assert rates[top] == settings.learning_rate
    assert all(np.diff(rates[: top + 1]) >= 0)
    assert all(np.diff(rates[top:]) <= 0)
    assert 0 < rates[-1] < 0.05 * settings.learning_rate


def test_draws_differ_between_parties_rounds_and_seeds():
    seeds = {
        party_seed(seed, party, number)
        for seed in range(3)
        for party in ("a", "b")
        for number in range(5)
    }
    assert len(seeds) == 30
