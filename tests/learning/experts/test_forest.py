"""Trees as arrays: they answer as LightGBM does, and damaged ones are refused unasked."""

from dataclasses import fields, replace

import numpy as np
import pytest

from deepcity.learning.experts.forest import Forest, read_text

lightgbm = pytest.importorskip("lightgbm")
COLUMNS = 5


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).normal(size=(3000, COLUMNS)).astype(np.float32)


@pytest.fixture(scope="module")
def booster(rows):
    truth = 2 + rows[:, 0] * (rows[:, 1] > 0) + np.abs(rows[:, 2])
    settings = {"objective": "regression_l1", "num_leaves": 9, "num_threads": 1, "verbosity": -1}
    return lightgbm.train(settings, lightgbm.Dataset(rows, truth), 20)


@pytest.fixture(scope="module")
def forest(booster):
    return read_text(booster.model_to_string())


def test_it_answers_as_lightgbm_does(forest, booster, rows):
    asked = np.concatenate([rows, 100 * rows, np.zeros((1, COLUMNS), np.float32)])
    expected = booster.predict(asked, num_threads=1)
    np.testing.assert_allclose(forest.predict(asked), expected, rtol=0, atol=1e-12)
    assert len(forest.predict(asked[:0])) == 0


def test_a_tree_of_one_leaf_is_a_number(rows):
    booster = lightgbm.train(
        {"objective": "regression", "num_threads": 1, "verbosity": -1, "min_data_in_leaf": 5000},
        lightgbm.Dataset(rows, np.full(len(rows), 3.5)),
        2,
    )
    forest = read_text(booster.model_to_string())
    assert forest.fault(COLUMNS) == ""
    np.testing.assert_allclose(forest.predict(rows[:2]), booster.predict(rows[:2]))


CHANGES = {
    "its own parent": ("left_K", 0, "child out of range"),
    "a leaf that is not there": ("right_K", -999, "child out of range"),
    "a node that is not there": ("right_K", 999, "child out of range"),
    "a column after the last": ("column_K", COLUMNS, "column"),
    "a column before the first": ("column_K", -1, "column"),
    "no leaf": ("leaves_T", 0, "no leaf"),
    "more leaves": ("leaves_T", 10**12, "claims more than"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_tree_is_refused(forest, name):
    assert forest.fault(COLUMNS) == ""
    key, value, word = CHANGES[name]
    changed = getattr(forest, key).copy()
    changed[0] = value
    assert word in replace(forest, **{key: changed}).fault(COLUMNS)


@pytest.mark.parametrize("name", [one.name for one in fields(Forest)])
def test_arrays_of_other_lengths_are_refused(forest, name):
    assert replace(forest, **{name: getattr(forest, name)[1:]}).fault(COLUMNS)


@pytest.mark.parametrize("seed", range(60))
def test_noise_is_refused_or_walked_to_an_end(forest, rows, seed):
    rng = np.random.default_rng(seed)
    key = ("left_K", "right_K", "column_K", "leaves_T")[seed % 4]
    changed = getattr(forest, key).copy()
    changed[rng.integers(0, len(changed), 3)] = rng.integers(-12, 12, 3)
    other = replace(forest, **{key: changed})
    assert other.fault(COLUMNS) or np.isfinite(other.predict(rows[:50])).all()
