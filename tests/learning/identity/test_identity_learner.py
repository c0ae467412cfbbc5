"""Striped people: learning finds strangers again, a state goes on, own statistics stay home."""

from dataclasses import replace

import numpy as np
import pytest
from striped_people import SETTINGS, SIZES, a_city

from deepcity.city.errors import LayerPackageError
from deepcity.city.level import LADDER, STEM, layers_up_to
from deepcity.learning.identity.best_level import best_level
from deepcity.learning.identity.learner import IdentityLearner

CITY = a_city("north", 0)
ALL = (STEM, *LADDER)


def learner(seed: int = 0, **sizes: object) -> IdentityLearner:
    return IdentityLearner(CITY, SETTINGS, seed, replace(SIZES, **sizes))


def test_training_finds_people_that_it_never_saw():
    one = learner()
    losses = [one.train_round(number) for number in range(SETTINGS.rounds)]
    assert losses[-1] < losses[0] - 0.3
    one.receive({})
    one.keep_best()
    assert one.evaluate() == one.best < 0.5


def test_a_restored_state_trains_on_as_if_nothing_had_happened():
    one, other = learner(), learner()
    one.train_round(0)
    kept = one.state()
    first = one.train_round(1)
    other.restore(kept)
    assert other.train_round(1) == first


def test_cities_of_other_sizes_begin_with_the_same_layers_but_the_classifier():
    other = IdentityLearner(a_city("middle", 1), SETTINGS, 0, SIZES).export(ALL)
    for name, tensors in learner().export(ALL).items():
        assert all(np.array_equal(tensors[key], other[name][key]) for key in tensors)
    assert "classifier" not in ALL


def test_own_statistics_leave_with_no_layer_and_are_kept_in_the_state():
    common, own = learner(), learner(own_statistics=True)
    names = {key for part in own.export(ALL).values() for key in part}
    assert not any("mean" in name or "variance" in name for name in names)
    assert any("statistics.mean" in key for key in common.export(("h1",))["h1"])
    own.train_round(0)
    moved = own.state()["now/statistics.h1.mean"]
    assert np.abs(moved).max() > 0


def test_frozen_layers_and_their_statistics_do_not_move_in_fine_tuning():
    one = learner()
    one.train_round(0)
    one.receive({})
    tuned = one.refit(layers_up_to(3, common_stem=True), seed=5)
    before, after = one.export(ALL), tuned.export(ALL)
    for name in ("stem", "h1", "h2", "h3"):
        assert all(np.array_equal(before[name][key], after[name][key]) for key in before[name])
    assert not np.array_equal(before["h5"]["second.weight"], after["h5"]["second.weight"])


def test_layers_that_do_not_fit_change_nothing():
    one = learner()
    before = one.evaluate()
    wrong = {"h1": {"weight": np.zeros(3, np.float32)}}
    with pytest.raises(LayerPackageError, match="h1"):
        one.receive(wrong)
    assert one.evaluate() == before


def test_a_spoilt_network_is_never_chosen_and_a_better_one_is():
    spoilt, trained = learner(), learner()
    blind = {key: np.zeros_like(part) for key, part in spoilt.export((STEM,))[STEM].items()}
    spoilt.receive({STEM: blind})
    for number in range(SETTINGS.rounds):
        trained.train_round(number)
    trained.receive({})
    assert best_level(trained, {5: spoilt}).level == 0
    assert best_level(spoilt, {5: trained}).level == 5
