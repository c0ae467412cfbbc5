"""Layers from outside, as large as others like, and what a newcomer makes of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from little_map import three
from test_newcomer import joined

from deepcity.city.level import ALONE
from deepcity.intercity.newcomer import common_layers
from deepcity.intercity.party_choices import Offer, choose_from
from deepcity.intercity.received_layers import MOST_NORM, unusable
from deepcity.learning.training.learner import Learner

OWN = {"h1": {"weight": np.full((3, 2), 5.0, np.float32)}}


@given(st.floats(width=32, allow_nan=True, allow_infinity=True), st.integers(0, 5))
def test_one_value_is_taken_or_refused_by_the_norm_of_its_tensor(value, place):
    weight = np.ones((3, 2), np.float32)
    weight.flat[place] = value
    reason = unusable({"h1": {"weight": weight}}, OWN)
    with np.errstate(all="ignore"):
        norm = np.sqrt(np.mean(weight.astype(np.longdouble) ** 2))
    if not np.isfinite(value):
        assert "not finite" in reason
    elif norm > 5.0 * MOST_NORM * 1.001:
        assert "h1.weight has a mean norm of" in reason
    elif norm < 5.0 * MOST_NORM * 0.999:
        assert reason == ""


def test_own_layers_of_any_size_are_usable_and_unknown_ones_measured_by_one():
    large = {"head": {"bias": np.full(4, 1e20)}}
    assert unusable(large, large) == ""
    assert unusable({}, OWN) == ""
    assert unusable({"h2": {"bias": np.zeros(0)}}, OWN) == ""
    assert "head.bias" in unusable(large, OWN)
    assert unusable({"h1": {"other": np.full(4, 999.0)}}, OWN) == ""


@pytest.mark.parametrize(("stem", "value"), [("common", 1e30), ("private", np.nan)])
def test_newcomer_with_poisoned_layers_says_that_it_learned_alone(tmp_path, stem, value):
    outcome, settings, late = joined(three(tmp_path).write(), stem)
    good = common_layers(outcome.progress)
    bad = {
        name: {key: np.full_like(values, value) for key, values in tensors.items()}
        for name, tensors in good.items()
    }
    alone = Learner(late.data, settings.training, 1)
    assert unusable(good, alone.export(good)) == ""
    chosen = choose_from(settings, late, alone, None, Offer(6, stem == "common", bad), 1)
    assert {level for level, _ in chosen.choice.experts} == {ALONE}
    assert chosen.choice.level == ALONE
    assert chosen.refused
    assert chosen.first_day is None
