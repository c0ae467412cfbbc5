"""What a source of peaks would have named on past days: as one day after the other tells it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.applications.state import Past
from deepcity.applications.tasks.peak_sources import Source, peaks_near

NEAR, FOLDS, NEWEST, LEAST = 1, 5, 14, 5


def source(days, steps, low, seed):
    """Two places; `low` under 0 makes totals that are no base for ratios."""
    dice = np.random.default_rng(seed)
    forecast_BNH = dice.uniform(low, 9, (days, 2, steps)).astype(np.float32)
    errors = dice.normal(size=(days, 2, steps)).round(dice.integers(0, 3))
    truth_BNH = (forecast_BNH + errors).astype(np.float32)
    truth_BNH[dice.random(days) < 0.1] = np.nan
    return Source.of(forecast_BNH[0], Past(forecast_BNH, truth_BNH))


def others(row, count, newest):
    """Days whose errors a past day is tried with."""
    fold = [one * FOLDS // count for one in range(count)]
    if newest and row >= LEAST:
        return list(range(max(0, row - NEWEST), row))
    return [one for one in range(count) if fold[one] != fold[row]]


@given(
    st.integers(1, 70),
    st.integers(1, 24),
    st.sampled_from([-9.0, 1.0]),
    st.integers(0, 1000),
    st.booleans(),
)
def test_they_are_those_of_each_day_alone(days, steps, low, seed, newest):
    found = source(days, steps, low, seed)
    count = len(found.rows_P)
    heights, hours = found.past_heights(newest=newest), found.past_hours(NEAR)
    for row in range(count):
        paths_PH = found.paths(found.total_PH[row])
        tried = others(row, count, newest)
        expected = np.median(paths_PH[tried].max(axis=1)) if tried else np.nan
        assert heights[row] == pytest.approx(expected, nan_ok=True)
        apart = others(row, count, newest=False)
        near_H = peaks_near(paths_PH[apart], NEAR) if apart else np.full(steps, np.nan)
        assert hours[row] == pytest.approx(near_H, nan_ok=True)


def test_nothing_known_names_nothing():
    unknown_BNH = np.full((4, 2, 3), np.nan, np.float32)
    found = Source.of(np.ones((2, 3), np.float32), Past(np.ones_like(unknown_BNH), unknown_BNH))
    assert found.past_heights().shape == (0,)
    assert found.past_heights(newest=True).shape == (0,)
    assert found.past_hours(NEAR).shape == (0, 3)
