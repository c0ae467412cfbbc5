"""Trees learn what no straight line says, shrug at outliers, and hold back where rows are few."""

import numpy as np
import pytest

from benchmarks.ferrara.boosted_trees import TreeSettings, grow

SETTINGS = TreeSettings(trees=80, depth=3, rate=0.2, least=20.0, block=1)


def rows(seed=0, count=2000):
    """Truth is 1 where both of two features are high, of five; noise 0.1."""
    rng = np.random.default_rng(seed)
    inputs = rng.uniform(0, 1, (count, 5)).astype(np.float32)
    clean = ((inputs[:, 1] > 0.5) & (inputs[:, 3] > 0.4)).astype(np.float32)
    return inputs, clean, clean + rng.normal(0, 0.1, count).astype(np.float32)


def error(said, truth):
    return float(np.abs(said - truth).mean())


def test_they_find_what_two_features_say_together():
    inputs, _, noisy = rows()
    new, clean, _ = rows(seed=1)
    assert error(grow(inputs, noisy, SETTINGS).predict(new), clean) < 0.2 * error(0, clean)


def test_outliers_and_missing_truths_change_little():
    inputs, _, noisy = rows()
    noisy[::10] = 50
    noisy[1::10] = np.nan
    new, clean, _ = rows(seed=1)
    assert error(grow(inputs, noisy, SETTINGS).predict(new), clean) < 0.25 * error(0, clean)


def test_few_rows_say_little():
    inputs, _, noisy = rows(count=40)
    shy = TreeSettings(trees=20, depth=3, least=1000.0, block=1)
    assert np.abs(grow(inputs, noisy, shy).predict(inputs)).max() < 0.05


def test_nothing_to_learn_says_nothing():
    inputs = np.ones((50, 3), np.float32)
    assert np.abs(grow(inputs, np.zeros(50, np.float32), SETTINGS).predict(inputs)).max() == 0


def test_the_same_seed_grows_the_same_trees_and_another_seed_others():
    inputs, _, noisy = rows()
    said = [grow(inputs, noisy, SETTINGS, seed).predict(inputs) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(said[0], said[1])
    assert not np.array_equal(said[0], said[2])


def test_values_beyond_all_that_was_learned_are_as_the_outermost():
    inputs, _, noisy = rows()
    trees = grow(inputs, noisy, SETTINGS)
    far, edge = np.full((1, 5), 9, np.float32), np.full((1, 5), 1, np.float32)
    np.testing.assert_array_equal(trees.predict(far), trees.predict(edge))


def test_no_truth_at_all_is_an_error():
    with pytest.raises(ValueError, match="none of 4 rows"):
        grow(np.zeros((4, 2), np.float32), np.full(4, np.nan, np.float32))
