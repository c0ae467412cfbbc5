import numpy as np
import pytest
from street_world import PLAN, child_world

from deepcity.simulation.streets.street_map import StreetPlan, lay_streets


def test_every_crossing_can_be_reached_from_every_other():
    assert np.isfinite(child_world().routes.metres_NN).all()


def test_a_share_of_the_streets_is_missing_and_cities_are_joined_by_two_roads_a_pair():
    streets = lay_streets(PLAN, np.random.default_rng(3))
    inner = 3 * (2 * 9 * 8)
    assert (~streets.is_border_E).sum() == inner - 3 * round(PLAN.missing * 2 * 9 * 8)
    roads = streets.street_E2[streets.is_border_E]
    pairs = np.sort(streets.city_N[roads], axis=1)
    assert [tuple(one) for one in pairs] == [(0, 1)] * 2 + [(0, 2)] * 2 + [(1, 2)] * 2
    assert streets.length_E[streets.is_border_E].min() > 0.5 * PLAN.between_m


def test_the_same_seed_lays_the_same_streets_and_another_does_not():
    one, same, other = (lay_streets(PLAN, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (one.place_N2 == same.place_N2).all()
    assert (one.street_E2 == same.street_E2).all()
    assert (one.place_N2 != other.place_N2).any()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"crossings": 1}, "1 crossings"),
        ({"missing": 1.0}, "share of 1.0"),
        ({"between_m": 0.0}, "must be positive"),
    ],
)
def test_a_plan_that_makes_no_city_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        StreetPlan(**wrong)
