"""Deep data on their way out: slower, clipped, with noise, quantised, only what moved."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.privacy.defences.release import (
    hold_small_moves,
    quantise,
    release,
    release_stream,
    release_times,
    stays,
)
from deepcity.privacy.defences.settings import Defences

KEY = bytes(range(32))
TIMES = 1_800_000_000 + 3600 * np.arange(6)


def vectors(seed=0, times=6):
    return np.random.default_rng(seed).uniform(-1, 1, (times, 3, 2)).astype(np.float32)


@given(st.integers(1, 16), st.floats(0.01, 1), st.integers(0, 100))
def test_a_number_leaves_as_one_of_few_values_near_it(bits, clip, seed):
    raw = vectors(seed)
    found = release(raw, TIMES, Defences(bits=bits, clip=clip), b"")
    step = 2 * clip / (2**bits - 1)
    assert found.dtype == np.float32
    assert np.abs(found).max() <= clip * 1.001
    assert np.abs(found - np.clip(raw, -clip, clip)).max() <= step / 2 + 1e-6
    steps = (found + clip) / step
    assert np.abs(steps - np.rint(steps)).max() < 1e-2
    assert len(np.unique(np.rint(steps))) <= 2**bits


def test_without_a_defence_nothing_is_changed():
    assert release(vectors(), TIMES, Defences(), b"") is not None
    np.testing.assert_array_equal(
        release_stream(vectors(), np.ones((6, 3), bool), TIMES, Defences(), b""), vectors()
    )


def test_noise_of_a_time_is_the_same_whenever_it_is_asked_for_and_else_another():
    defences, same = Defences(noise=0.5), np.zeros((6, 3, 2), np.float32)
    whole = release(same, TIMES, defences, KEY)
    part = release(same[:2], TIMES[3:5], defences, KEY)
    np.testing.assert_array_equal(part, whole[3:5])
    assert not np.array_equal(whole[0], whole[1])
    assert not np.array_equal(whole, release(same, TIMES, defences, KEY[::-1]))


def test_noise_is_as_wide_as_it_is_set_and_what_leaves_stays_in_bounds():
    same, times = np.zeros((400, 3, 2), np.float32), 3600 * np.arange(400)
    found = release(same, times, Defences(noise=0.2), KEY)
    assert found.std() == pytest.approx(0.2, rel=0.1)
    found = release(same, times, Defences(noise=0.2, clip=0.5), KEY)
    assert found.std() == pytest.approx(0.1, rel=0.1)  # a share of the range that is left
    assert np.abs(release(same, times, Defences(noise=5.0, clip=0.5), KEY)).max() <= 0.5


def test_a_slower_release_is_of_the_newest_time_of_its_grid():
    found = release_times(TIMES + 1800, Defences(cadence_s=7200))
    assert set(found % 7200) == {0}
    assert ((TIMES + 1800 - found) < 7200).all()
    np.testing.assert_array_equal(release_times(TIMES, Defences()), TIMES)


def test_a_cell_that_hardly_moves_is_held_and_no_longer_than_that():
    raw = np.linspace(0, 0.5, 6, dtype=np.float32)[:, None, None].repeat(3, axis=1)
    known = np.ones((6, 3), bool)
    held = hold_small_moves(raw, known, TIMES, Defences(min_change=0.15, hold_s=3600))
    np.testing.assert_allclose(held[:, 0, 0], [0, 0, 0.2, 0.2, 0.4, 0.4], atol=1e-6)
    far = hold_small_moves(raw, known, TIMES, Defences(min_change=0.15, hold_s=0))
    np.testing.assert_array_equal(far, raw)
    longer = hold_small_moves(raw, known, TIMES, Defences(min_change=0.25, hold_s=36_000))
    np.testing.assert_allclose(longer[:, 0, 0], [0, 0, 0, 0.3, 0.3, 0.3], atol=1e-6)


def test_a_cell_that_was_not_known_is_never_held():
    raw, known = np.zeros((3, 3, 2), np.float32), np.ones((3, 3), bool)
    raw[1:, 0], known[0, 0] = 0.1, False
    found = hold_small_moves(raw, known, TIMES[:3], Defences(min_change=0.5, hold_s=36_000))
    np.testing.assert_array_equal(found[1:, 0], raw[1:, 0])


def test_a_cell_of_which_one_number_has_moved_is_sent_whole():
    raw = np.zeros((2, 1, 3), np.float32)
    raw[1, 0] = 0.01, 0.9, 0.0
    known, moves = np.ones((2, 1), bool), Defences(min_change=0.5, hold_s=36_000)
    np.testing.assert_array_equal(hold_small_moves(raw, known, TIMES[:2], moves), raw)


@pytest.mark.parametrize(
    ("age_s", "held"), [(-3600, False), (0, True), (7200, True), (7201, False)]
)
def test_a_vector_stays_until_it_is_too_old_and_never_from_the_future(age_s, held):
    """A clock that was put back must not hold what is of later times."""
    now = np.zeros((1, 2), np.float32)
    found = stays(now, now, np.array([age_s]), Defences(min_change=0.5, hold_s=7200))
    assert found.tolist() == [held]


def test_while_a_cell_is_not_known_nothing_of_before_stands_for_it():
    raw, known = np.zeros((4, 1, 2), np.float32), np.ones((4, 1), bool)
    raw[1:, 0], known[1, 0] = 0.1, False
    found = hold_small_moves(raw, known, TIMES[:4], Defences(min_change=0.5, hold_s=36_000))
    np.testing.assert_array_equal(found, raw)  # once it is known again it is sent anew


def test_rounding_is_to_the_nearest_value():
    np.testing.assert_allclose(quantise(np.array([0.3, -0.34, 1.0]), 2), [1 / 3, -1 / 3, 1.0])


@pytest.mark.parametrize(
    "wrong",
    [
        {"clip": 0},
        {"clip": 1.5},
        {"noise": -1},
        {"noise": float("nan")},
        {"bits": 17},
        {"cadence_s": -1},
        {"adversary": 1e9},
    ],
)
def test_what_is_out_of_range_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Defences(**wrong)
