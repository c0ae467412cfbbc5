"""Whatever layers make, a joined forecast is finite and near the party's own records."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from deepcity.learning.ensemble.forecast_bounds import ForecastBounds
from deepcity.learning.features.inputs import Samples

B, N, H, T = 3, 2, 2, 12
anything = st.floats(width=32, allow_nan=True, allow_infinity=True)
records = st.one_of(st.floats(-50, 50, width=32), st.just(float("nan")))


def samples(baseline=0.0, scale=1.0):
    shape = (B, N, H)
    return Samples(
        np.zeros((B, N, 1), np.float32),
        np.zeros((*shape, 1), np.float32),
        np.full(shape, baseline, np.float32),
        np.zeros(shape, np.float32),
        np.full((N, 1), scale, np.float32),
        0,
    )


@given(
    hnp.arrays(np.float32, (B, N, H), elements=anything),
    hnp.arrays(np.float32, (T, N), elements=records),
    st.lists(st.integers(0, T), min_size=B, max_size=B),
    st.floats(0.0, 20, width=32),
)
def test_it_is_finite_and_within_half_a_range_of_all_records_or_five_scales(
    forecast_BNH, values_TN, origins, scale
):
    origins_B, own_BNH = np.array(origins), np.full((B, N, H), 1.5, np.float32)
    some = samples(scale=scale)
    found_BNH = ForecastBounds.of(some, values_TN, origins_B).clip(forecast_BNH, own_BNH)
    assert np.isfinite(found_BNH).all()
    for b, origin in enumerate(origins):
        known = values_TN[:origin]
        if np.isfinite(known).any():
            low, high = np.nanmin(known), np.nanmax(known)
            margin = 0.5 * (high - low) + 1e-3
            assert (found_BNH[b] >= low - margin).all()
            assert (found_BNH[b] <= high + margin).all()
        else:
            assert (np.abs(found_BNH[b]) <= 5 * scale + 1e-3).all()


def test_a_forecast_within_stays_to_the_bit_and_later_records_bound_nothing():
    values_TN = np.tile(np.array([0.0, 10.0], np.float32), (N, T // 2)).T
    values_TN[-1] = 1000.0
    forecast_BNH = np.linspace(-4, 14, B * N * H, dtype=np.float32).reshape(B, N, H)
    bounds = ForecastBounds.of(samples(5.0), values_TN, np.array([4, 6, T - 1]))
    np.testing.assert_array_equal(bounds.clip(forecast_BNH, forecast_BNH), forecast_BNH)
    assert bounds.clip(forecast_BNH + 500, forecast_BNH).max() == 15.0
