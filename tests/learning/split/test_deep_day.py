"""How deep data change over the day: as in training, or against it, whatever their mean does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deepcity.learning.split.deep_day import DayPattern, fit_day
from deepcity.learning.split.fusion_inputs import DeepBatch

HOUR, DAY, START = 3600, 86_400, 1_600_041_600  # a midnight


def times(days, spacing_s=3 * HOUR, start=START):
    return np.arange(start, start + days * DAY, spacing_s)


def deep(time_B, *, shift_h=0, drift=0.0, seed=0, cells=2):
    """Two channels that follow the hour, and drift."""
    hour_B = time_B % DAY / HOUR - shift_h
    angle_B = 2 * np.pi * hour_B / 24
    wave_BD = np.stack([np.sin(angle_B), np.cos(angle_B)], axis=1)
    level_B = drift * (time_B - START) / DAY
    noise_BCD = 0.3 * np.random.default_rng(seed).normal(size=(len(time_B), cells, 2))
    vectors_BCD = 0.3 * (wave_BD + level_B[:, None])[:, None] + noise_BCD
    return DeepBatch(vectors_BCD.astype(np.float32), np.ones((len(time_B), cells), bool))


@pytest.fixture(scope="module")
def usual():
    found = fit_day(times(40), deep(times(40)))
    assert found is not None
    return found


def test_what_is_as_in_training_agrees_and_what_is_flipped_or_late_does_not(usual):
    later = times(5, start=START + 60 * DAY)
    right = deep(later, drift=0.5, seed=1)  # the season has gone on
    assert min(usual.correlations(later, right)) > 0.5
    flipped = DeepBatch(-right.vectors_BCD, right.known_BC)
    assert max(usual.correlations(later, flipped)) < -0.5
    late = deep(later, shift_h=12, seed=2)
    assert max(usual.correlations(later, late)) < -0.5
    assert 0 < usual.least_day <= usual.least_days < 1


@pytest.mark.parametrize("days", [6, 10, 40])
def test_what_does_not_follow_the_hour_has_no_usual_day(days):
    """Though chance makes a mean day of anything, and each day agrees with its part in it."""
    hourly = times(days, HOUR)
    for seed in range(5):
        noise = np.random.default_rng(seed).uniform(-1, 1, (len(hourly), 1, 3)).astype(np.float32)
        assert fit_day(hourly, DeepBatch(noise, np.ones((len(hourly), 1), bool))) is None


def test_hours_between_the_times_of_training_are_left_out(usual):
    hourly = times(5, HOUR)
    right = deep(hourly)
    between_B = hourly % (3 * HOUR) != 0
    right.vectors_BCD[between_B] = 9.0
    assert min(usual.correlations(hourly, right)) > 0.5


def test_without_enough_it_says_nothing(usual):
    few = times(1)
    assert np.isnan(usual.correlations(few, deep(few))).all()
    long = times(5)
    silent = DeepBatch(deep(long).vectors_BCD, np.zeros((len(long), 2), bool))
    assert np.isnan(usual.correlations(long, silent)).all()
    still = DeepBatch(np.full((len(long), 2, 2), 0.2, np.float32), silent.known_BC | True)
    assert np.isnan(usual.correlations(long, still)).all()
    assert np.isnan(usual.correlations(long + 60, deep(long))).all()


def test_a_few_that_are_missing_change_little(usual):
    long = times(6)
    batch = deep(long)
    batch.known_BC[::9] = False
    batch.vectors_BCD[::9] = np.nan  # arbitrary where it is not known
    assert min(usual.correlations(long, batch)) > 0.5


@pytest.mark.parametrize(
    "time_B",
    [times(40, DAY), times(40, 7 * HOUR), times(4), times(1)[:1], np.zeros(0, np.int64)],
    ids=["once a day", "no part of a day", "few days", "one", "none"],
)
def test_there_is_no_usual_day_of_too_little(time_B):
    assert fit_day(time_B, deep(time_B)) is None


def test_an_array_gives_it_back(usual):
    again = DayPattern.of(usual.array, 2)
    assert again.phase_s == usual.phase_s
    np.testing.assert_allclose(again.pattern_SD, usual.pattern_SD, rtol=1e-6)
    for wrong in (usual.array[:-1], usual.array[:3], usual.array * np.nan, usual.array[None]):
        with pytest.raises(ValueError, match="a usual day of shape"):
            DayPattern.of(wrong, 2)


@given(
    arrays(np.float32, (24, 1, 2), elements=st.floats(-1, 1, width=32)),
    arrays(np.bool_, (24, 1)),
)
def test_a_correlation_is_one_or_unknown(vectors_BCD, known_BC):
    usual = fit_day(times(10), deep(times(10)))
    for one in usual.correlations(times(3), DeepBatch(vectors_BCD, known_BC)):
        assert np.isnan(one) or -1.001 <= one <= 1.001
