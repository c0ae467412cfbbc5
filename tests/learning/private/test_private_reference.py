"""Statistics that inputs are scaled by: near the truth, and hardly moved by one day."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcity.learning.private.reference import (
    _waves,
    private_reference,
    square_sums,
    value_histogram,
    wave_sums,
)
from deepcity.privacy.accounting.noise_stream import NoiseKey

DAYS, SLOTS = 700, 24
REST_D = (np.arange(DAYS) % 7 >= 5).astype(np.int64)


def values(level=50.0, seed=0):
    """A daily wave, less at week-ends, and noise with a standard deviation of a tenth."""
    rng = np.random.default_rng(seed)
    wave_S = np.sin(2 * np.pi * np.arange(SLOTS) / SLOTS)
    size_D = np.where(REST_D, 0.5, 1.0)[:, None]
    noise = 0.1 * rng.standard_normal((DAYS, SLOTS))
    return (level * (1 + 0.4 * size_D * wave_S + noise))[..., None]


def stream():
    return NoiseKey(bytes(32)).stream(b"reference")


@pytest.mark.parametrize("level", [0.01, 50.0, -3e5])
def test_with_the_noise_of_epsilon_8_it_is_near_the_truth(level):
    found = private_reference(values(level), REST_D, stream(), 9.0)
    truth_2S = np.stack([values(level)[kind == REST_D, :, 0].mean(axis=0) for kind in (0, 1)])
    size = abs(level)
    assert np.abs(found.typical_2SN[0, :, 0] - truth_2S[0]).mean() < 0.1 * size
    assert np.abs(found.typical_2SN[1, :, 0] - truth_2S[1]).mean() < 0.2 * size
    assert 0.05 * size < found.scale_N[0] < 0.3 * size
    assert found.mean_N[0] == pytest.approx(level, rel=0.2)


def test_missing_days_and_nothing_at_all_are_no_error():
    holes = values()
    holes[::3] = np.nan
    assert np.isfinite(private_reference(holes, REST_D, stream(), 9.0).typical_2SN).all()
    empty = np.full((30, SLOTS, 2), np.nan)
    found = private_reference(empty, REST_D[:30], stream(), 30.0)
    assert np.isfinite(found.scale_N).all()
    assert (found.scale_N > 0).all()


def test_waves_are_orthonormal_so_that_a_day_has_no_more_than_its_norm():
    waves_KS = _waves(SLOTS)
    np.testing.assert_allclose(waves_KS @ waves_KS.T, np.eye(len(waves_KS)), atol=1e-12)


def other_day(seed, size, places=1):
    """A day of any values, some missing."""
    rng = np.random.default_rng(seed)
    drawn = 10.0**size * rng.standard_normal((SLOTS, places))
    return np.where(rng.random((SLOTS, places)) < 0.2, np.nan, drawn)


@settings(max_examples=40, deadline=None)
@given(day=st.integers(0, 59), seed=st.integers(0, 99), size=st.integers(-12, 20))
def test_one_day_moves_each_sum_by_twice_its_norm_at_most(day, seed, size):
    before = values()[:60]
    after = before.copy()
    after[day] = other_day(seed, size)
    histograms = [value_histogram(one[..., 0]) for one in (before, after)]
    assert np.linalg.norm(histograms[1] - histograms[0]) <= 2
    scaled = [np.clip((one - 50) / 20, -1, 1) for one in (before, after)]
    waves = [wave_sums(one, REST_D[:60]) for one in scaled]
    assert np.linalg.norm(waves[1] - waves[0]) <= 2 + 1e-9
    squares = [square_sums(one) for one in scaled]
    assert abs(squares[1] - squares[0]).max() <= 1 + 1e-9


def test_the_bound_is_reached():
    low, high = np.full((1, SLOTS, 1), -1.0), np.full((1, SLOTS, 1), 1.0)
    moved = wave_sums(high, REST_D[:1]) - wave_sums(low, REST_D[:1])
    assert np.linalg.norm(moved) == pytest.approx(2.0)
