"""Epsilon agrees with published values, and with the closed form where there is one."""

import math

import pytest

from deepcity.privacy.accounting.accountant import (
    ORDERS,
    NoisySums,
    epsilon_of,
    noise_multiplier_for,
)


def gaussian(rho, delta):
    """Epsilon of Gaussian noise with divergence rho * order (Canonne, Kamath & Steinke 2020)."""
    return min(
        rho * order
        + math.log(1 / delta) / (order - 1)
        + math.log1p(-1 / order)
        - math.log(order) / (order - 1)
        for order in ORDERS
    )


def test_published_values():
    # Abadi et al. 2016, "Deep learning with differential privacy", section 3.2: q = 0.01, sigma =
    # 4, 10,000 steps, delta = 1e-5: 1.26 by the moments accountant; tighter conversions since
    # are a little under it, and strong composition gave 9.34
    assert 1.0 < epsilon_of([NoisySums(4.0, 0.01, 10_000)], 1e-5, replaced=False) < 1.26
    # the tutorial of TensorFlow Privacy: 60,000 pictures, batches of 256, noise 1.1, 60 epochs
    steps = 60 * 60_000 // 256
    found = epsilon_of([NoisySums(1.1, 256 / 60_000, steps)], 1e-5, replaced=False)
    assert 2.5 < found < 3.01


def test_without_sampling_it_is_the_closed_form():
    found = epsilon_of([NoisySums(5.0, 1.0, 10)], 1e-5, replaced=False)
    assert found == pytest.approx(gaussian(10 / (2 * 25), 1e-5), rel=1e-6)


@pytest.mark.parametrize("noise", [2.0, 10.0, 50.0])
def test_replacing_is_at_least_what_the_doubled_distance_costs_and_hardly_more(noise):
    found = epsilon_of([NoisySums(noise, 1.0, 20)], 1e-5)
    exact = gaussian(20 * 4 / (2 * noise**2), 1e-5)
    assert exact <= found < 1.25 * exact


def test_replacing_costs_more_than_removing_and_less_than_group_privacy_of_pure_epsilon():
    sums = [NoisySums(2.0, 0.1, 360)]
    assert epsilon_of(sums, 1e-5, replaced=False) < epsilon_of(sums, 1e-5)


def test_sums_of_several_kinds_add_up():
    one, two = NoisySums(3.0, 0.1, 100), NoisySums(8.0, 1.0, 3)
    both = epsilon_of([one, two], 1e-5)
    assert max(epsilon_of([one], 1e-5), epsilon_of([two], 1e-5)) < both
    assert both < epsilon_of([one], 1e-5) + epsilon_of([two], 1e-5)
    assert epsilon_of([NoisySums(3.0, 0.1, 50)] * 2, 1e-5) == pytest.approx(epsilon_of([one], 1e-5))


def test_nothing_spends_nothing_and_no_noise_everything():
    assert epsilon_of([], 1e-5) == 0
    assert epsilon_of([NoisySums(0.0, 0.1, 0)], 1e-5) == 0
    assert epsilon_of([NoisySums(0.0, 0.1, 1)], 1e-5) == math.inf


@pytest.mark.parametrize("epsilon", [0.5, 8.0])
def test_the_noise_solved_for_spends_just_what_is_asked(epsilon):
    before = [NoisySums(40.0, 1.0, 1)]
    noise = noise_multiplier_for(epsilon, 1e-5, 0.1, 120, before)
    spent = epsilon_of([*before, NoisySums(noise, 0.1, 120)], 1e-5)
    assert 0.97 * epsilon < spent <= epsilon


def test_what_is_spent_already_leaves_no_room():
    with pytest.raises(ValueError, match="no noise keeps 10 steps within epsilon 1"):
        noise_multiplier_for(1.0, 1e-5, 0.1, 10, [NoisySums(1.0, 1.0, 100)])
