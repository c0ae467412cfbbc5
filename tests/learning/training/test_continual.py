"""Refining learns from new days, and forgets no more than its bound."""

from dataclasses import replace

import numpy as np
import pytest
from signals import QUICK, SHORT, learner, panel

from deepcity.data.windows import Span
from deepcity.learning.features.inputs import fit_inputs, train_origins
from deepcity.learning.training.continual import memory_error, refine, with_rehearsal
from deepcity.learning.training.learner import EVERY_LAYER, PartyData
from deepcity.learning.training.local_training import validation_score

SETTINGS = QUICK.model_copy(update={"rounds": 6, "local_steps": 30, "batch_size": 64})


def changed():
    """Flows whose answer to the last deviation turns round after four weeks."""
    whole = panel(days=70, places=2, seed=3)
    values = whole.values_TNF.copy()
    rng = np.random.default_rng(0)
    swing, turn = np.zeros(len(values)), 28 * 24
    for step in range(1, len(values)):
        swing[step] = (0.9 if step < turn else -0.9) * swing[step - 1] + rng.normal()
    values += swing[:, None, None].astype(np.float32)
    return replace(whole, values_TNF=values)


def parts():
    """A learner of the old days; old rows, fresh ones, and rows of each kept aside."""
    whole = changed()
    train = Span(0, 24 * 24)
    inputs = fit_inputs(whole, "flow", SHORT, train)
    old = inputs.samples(train_origins(SHORT, train))
    aside = inputs.samples(np.arange(24 * 24, 28 * 24 - 6))
    fresh = inputs.samples(np.arange(30 * 24, 50 * 24))
    later = inputs.samples(np.arange(50 * 24, 69 * 24))
    data = PartyData("town/office", old, aside, inputs.ridge_skip_HS)
    one = learner(data=data, settings=SETTINGS)
    for number in range(6):
        one.train_round(number)
        one.receive({})
    one.keep_best()
    return one, old, fresh, aside, later


@pytest.fixture(scope="module")
def given():
    return parts()


def error(one, samples):
    return validation_score(one.forecast(samples), samples, SETTINGS.mae_weight)


def test_refining_helps_on_new_days_and_leaves_the_old_learner_as_it_was(given):
    one, old, fresh, aside, later = given
    before, layers = error(one, later), one.export(EVERY_LAYER)
    found = refine(one, old, fresh, aside, steps=120, seed=1, bound=10.0)
    assert found.moved == 1.0
    assert error(found.learner, later) < 0.97 * before
    for layer, tensors in one.export(EVERY_LAYER).items():
        assert all(np.array_equal(tensors[name], layers[layer][name]) for name in tensors)


@pytest.mark.parametrize("bound", [0.0, 0.01, 0.1])
def test_no_more_is_forgotten_than_the_bound(given, bound):
    one, old, fresh, aside, _ = given
    found = refine(one, old, fresh, aside, steps=120, seed=1, bound=bound)
    assert found.forgot <= bound
    assert error(found.learner, aside) <= (1 + bound) * error(one, aside) + 1e-9


def test_the_bound_holds_over_many_refinings_where_it_counts_from_the_first(given):
    first, old, fresh, aside, _ = given
    known, one = memory_error(first, aside), first
    for seed in range(4):
        found = refine(one, old, fresh, aside, steps=60, seed=seed, bound=0.03, known=known)
        assert found.forgot == pytest.approx(error(found.learner, aside) / known - 1)
        assert error(found.learner, aside) <= 1.03 * known + 1e-9
        one = found.learner
    loose = first
    for seed in range(4):
        loose = refine(loose, old, fresh, aside, steps=60, seed=seed, bound=0.03).learner
    assert error(loose, aside) > error(one, aside)


def test_a_tight_bound_moves_less_than_a_wide_one(given):
    one, old, fresh, aside, _ = given
    tight, wide = (
        refine(one, old, fresh, aside, steps=120, seed=1, bound=bound) for bound in (0.0, 10.0)
    )
    assert tight.moved < wide.moved


def test_refining_repeats_itself(given):
    one, old, fresh, aside, later = given
    twice = [refine(one, old, fresh, aside, steps=20, seed=4).learner for _ in range(2)]
    forecasts = [again.forecast(later) for again in twice]
    np.testing.assert_array_equal(*forecasts)


def test_as_many_old_rows_are_rehearsed_as_there_are_fresh_ones(given):
    _, old, fresh, _, _ = given
    mixed = with_rehearsal(old, fresh, 0)
    assert len(mixed) == 2 * min(len(old), len(fresh))
    np.testing.assert_array_equal(mixed.truth_BNH[-len(fresh) :], fresh.truth_BNH)
