"""The covariance between days, and its parameters as the likelihood wants them."""

import numpy as np
import pytest

from deepcity.learning.experts import day_kernel
from deepcity.learning.experts.day_kernel import compare_days, covariance, fit_parameters, noise

COUNT = 80
WEEKDAY_D = np.arange(COUNT) % 7


def some_days(seed=0, traits=2):
    return compare_days(WEEKDAY_D, np.random.default_rng(seed).random((COUNT, traits)))


def minus_log_likelihood(days, log_P, known, series_IM):
    """As the books have it, and the belief in the start."""
    total = covariance(days, log_P, known, known) + noise(log_P) * np.eye(len(known))
    fit = np.trace(series_IM.T @ np.linalg.solve(total, series_IM)) / series_IM.shape[1]
    belief = day_kernel._PRIOR_WEIGHT * ((log_P - days.start_P) ** 2).sum()
    return 0.5 * fit + 0.5 * np.linalg.slogdet(total)[1] + belief


def test_the_slope_is_that_of_the_likelihood():
    days, rng = some_days(), np.random.default_rng(1)
    known, series = np.arange(3, COUNT), rng.normal(size=(COUNT - 3, 3))
    log_P = days.start_P + rng.normal(0, 0.3, len(days.start_P))
    gradient_P = day_kernel._gradient(day_kernel._among(days, known), log_P, series)
    for index, gradient in enumerate(gradient_P):
        step = np.eye(len(log_P))[index] * 1e-5
        above, below = (
            minus_log_likelihood(days, at, known, series) for at in (log_P + step, log_P - step)
        )
        assert gradient == pytest.approx((above - below) / 2e-5, rel=1e-3, abs=1e-5)


def test_a_covariance_is_symmetric_and_never_negative():
    days = some_days()
    every = np.arange(COUNT)
    found = covariance(days, days.start_P, every, every)
    np.testing.assert_allclose(found, found.T)
    assert np.linalg.eigvalsh(found).min() > -1e-9


def test_days_of_one_weekday_are_more_alike():
    days = compare_days(WEEKDAY_D, np.zeros((COUNT, 1)))
    first, next_week, saturday, sunday = 0, 7, 5, 6
    found = covariance(days, days.start_P, np.array([first]), np.arange(COUNT))[0]
    assert found[next_week] > found[saturday]
    assert found[next_week] > found[sunday]


def test_noise_is_learned_from_noise_and_a_trait_where_it_acts():
    days, rng = some_days(traits=2), np.random.default_rng(2)
    every = np.arange(COUNT)
    pure = fit_parameters(days, every, rng.normal(size=(COUNT, 4)))
    pulled = days.traits_DC[:, :1] - days.traits_DC[:, :1].mean()
    acting = 3 * pulled + 0.1 * rng.normal(size=(COUNT, 4))
    moved = fit_parameters(days, every, acting / acting.std())
    assert noise(pure) > np.exp(days.start_P[9]) > noise(moved)
    assert moved[10] > days.start_P[10] > moved[11]
