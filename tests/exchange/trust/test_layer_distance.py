"""Crafted layers are not used, and named; honest ones always are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_rounds import learner

from deepcity.city.level import layers_up_to
from deepcity.exchange.exchange import COORDINATOR, Failure
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import COLLECT, ERROR, EVALUATE, TRAIN, LearningParty
from deepcity.exchange.trust.layer_distance import (
    MOST_MOVED,
    UNUSED,
    distance,
    is_unused,
    unused_layers,
    unused_numbers,
)


@pytest.fixture
def party():
    return LearningParty(learner("a"), 2)


def sent(party, change):
    own = party.learner.export(layers_up_to(2))
    return {name: {key: change(w) for key, w in part.items()} for name, part in own.items()}


@pytest.mark.parametrize("change", [lambda w: w * 100, lambda w: w * np.nan, lambda w: w + 1e30])
@pytest.mark.parametrize("verb", [TRAIN, EVALUATE])
def test_a_party_goes_on_with_its_own_layers_and_says_so(party, change, verb):
    alone = LearningParty(learner("a"), 2)
    found = party.handle(Message(verb, {ROUND: 0.0}, sent(party, change)), COORDINATOR)
    wanted = alone.handle(Message(verb, {ROUND: 0.0}), COORDINATOR)
    assert found.numbers[ERROR] == wanted.numbers[ERROR]
    for layer, tensors in wanted.layers.items():
        for name, tensor in tensors.items():
            np.testing.assert_array_equal(found.layers[layer][name], tensor)
    [named] = unused_layers({"a": found, "b": wanted, "c": Failure("c", "away")})
    assert named.party == "a"
    assert is_unused(named)
    assert "went on with its own layers" in named.reason
    assert UNUSED not in wanted.numbers


def test_it_is_said_once_more_to_who_did_not_hear_it(party):
    message = Message(TRAIN, {ROUND: 0.0}, sent(party, lambda w: w * 100))
    trained = party.handle(message, COORDINATOR)
    again = party.handle(Message(COLLECT, {ROUND: 0.0}), COORDINATOR)
    assert again.numbers == trained.numbers
    assert party.handle(Message(TRAIN, {ROUND: 1.0}), COORDINATOR).numbers.keys() == {
        ERROR,
        "loss",
    }


def test_layers_of_an_honest_round_are_used(party):
    other = LearningParty(learner("b"), 2)
    update = other.handle(Message(TRAIN, {ROUND: 0.0}), COORDINATOR)
    party.handle(Message(TRAIN, {ROUND: 1.0}, update.layers), COORDINATOR)
    found = party.handle(Message(EVALUATE, {}, update.layers), COORDINATOR)
    assert UNUSED not in found.numbers
    own = party.learner.export(update.layers)
    for layer, tensors in update.layers.items():
        for name, tensor in tensors.items():
            np.testing.assert_array_equal(own[layer][name], tensor)


@given(st.floats(-1e6, 1e6, width=32), st.integers(1, 30))
def test_the_distance_is_in_sizes_of_the_own_layer(factor, size):
    own = {"h1": {"w": np.random.default_rng(size).normal(size=size).astype(np.float32)}}
    far = distance(own, {"h1": {"w": own["h1"]["w"] * np.float32(factor)}})
    assert far == pytest.approx(abs(np.float32(factor) - 1), rel=1e-3, abs=1e-5)
    assert bool(unused_numbers(far)) == (far > MOST_MOVED)


@pytest.mark.parametrize("lie", [float("nan"), float("inf"), -1.0, 1e300])
def test_a_party_that_lies_about_it_names_itself_alone(lie):
    found = unused_layers({"a": Message(TRAIN, {UNUSED: lie})})
    assert [one.party for one in found] == (["a"] if lie > MOST_MOVED else [])
