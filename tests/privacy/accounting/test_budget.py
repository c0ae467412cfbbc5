"""Uses of records add up, the same one counts once, and the limit holds."""

import re

import pytest

from deepcity.city.errors import GrantError
from deepcity.privacy.accounting.budget import Charge, CountsCharge, Limit, Spending, charged

LIMIT = Limit("sensor-day", 2.0, 1e-5)


def use(number, service="water", noise=10.0):
    return Charge(
        key=f"{number:064x}",
        service=service,
        round=number,
        noise_multiplier=noise,
        sampling_rate=1.0,
        steps=1,
    )


def test_the_same_use_costs_nothing():
    once = charged(Spending(), use(1), LIMIT, "town/office")
    assert charged(once, use(1), LIMIT, "town/office") is once
    twice = charged(once, use(2), LIMIT, "town/office")
    assert twice.epsilon(1e-5) > once.epsilon(1e-5)


def test_services_add_up_to_the_limit_and_then_nothing_leaves():
    spending, number, refused = Spending(), 0, ""
    while not refused and number < 100:
        service = "water" if number % 2 else "power"
        try:
            spending = charged(spending, use(number, service), LIMIT, "town/office")
            number += 1
        except GrantError as error:
            refused = str(error)
    assert re.search(r"epsilon 1\.\d+ of 2 is spent.*limit in", refused)
    assert 2 < number < 90
    assert spending.epsilon(1e-5) <= 2.0
    assert "each sensor-day, delta 1e-05" in refused
    raised = Limit("sensor-day", 4.0, 1e-5)  # the remedy works
    assert len(charged(spending, use(999), raised, "town/office").charges) == number + 1


def test_two_units_do_not_add_up():
    spending = charged(Spending(), use(1), LIMIT, "town/office")
    with pytest.raises(GrantError, match='write unit = "sensor-day"'):
        charged(spending, use(2), Limit("place", 100.0, 1e-5), "town/office")


def test_counts_add_up_and_beside_layers_each_counts_twice():
    def counted(number, epsilon):
        return CountsCharge(key=f"{number:064x}", service="safety", epsilon=epsilon)

    alone = Spending().plus(counted(1, 0.5), "place").plus(counted(2, 0.25), "place")
    assert alone.epsilon(1e-5) == 0.75
    layers = Spending().plus(use(3), "place")
    both = alone.plus(use(3), "place")
    assert both.epsilon(1e-5) == pytest.approx(layers.epsilon(1e-5) + 2 * 0.75)
    assert both.holds(f"{2:064x}")
    assert both.holds(f"{3:064x}")
