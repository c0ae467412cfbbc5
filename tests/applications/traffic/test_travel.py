"""Minutes by the speeds one meets, and the way that arrives first."""

import numpy as np
import pytest
import rustworkx as rx
from hypothesis import given
from hypothesis import strategies as st

from deepcity.applications.traffic.roads import Roads
from deepcity.applications.traffic.travel import Travel

STEP = 5.0


def roads(*ends, metres):
    tail, head = np.array(ends).T
    return Roads(int(max(*tail, *head)) + 1, tail, head, np.array(metres, float), directed=True)


def test_a_road_is_driven_in_the_speeds_of_each_step():
    travel = Travel(roads((0, 1), metres=[10_000]), np.array([[60.0, 120.0]] * 2), STEP)
    assert travel.duration((0, 1)) == pytest.approx(5 + 2.5)  # 5 km at 60, 5 km at 120 km/h
    assert travel.arrival(0, 4.0) == pytest.approx(4 + 1 + 4.5)
    assert travel.arrival(0, 50.0) == pytest.approx(55.0)  # the last step's speed stays


def test_half_a_road_has_the_speed_of_each_end():
    travel = Travel(roads((0, 1), metres=[6000]), np.array([[30.0], [60.0]]), STEP)
    assert travel.duration((0, 1)) == pytest.approx(6 + 3)


def test_a_jam_to_come_is_avoided_and_one_that_ends_is_not():
    both = roads((0, 1), (1, 3), (0, 2), (2, 3), metres=[8000, 8000, 9000, 9000])
    kmh = np.full((4, 6), 90.0)
    kmh[1, 1:] = 10.0
    assert Travel(both, kmh, STEP).fastest(0, [3])[3].places == (0, 2, 3)
    kmh[1] = [10.0, *[90.0] * 5]
    later = roads(
        (4, 0), *zip(both.tail_E, both.head_E, strict=True), metres=[9000, *both.metres_E]
    )
    five = np.concatenate([kmh, np.full((1, 6), 90.0)])
    assert Travel(later, five, STEP).fastest(4, [3])[3].places == (4, 0, 1, 3)
    present = Travel(later, five[:, :1], STEP)
    assert present.fastest(4, [3])[3].places == (4, 0, 2, 3)


def test_an_end_out_of_reach_is_left_out():
    found = Travel(roads((0, 1), (2, 1), metres=[1, 1]), np.ones((3, 1)), STEP).fastest(0, [1, 2])
    assert set(found) == {1}
    with pytest.raises(rx.NoEdgeBetweenNodes):
        Travel(roads((0, 1), metres=[1]), np.ones((2, 1)), STEP).duration((1, 0))


@given(st.integers(0, 10_000))
def test_no_way_arrives_before_the_fastest(seed):
    rng = np.random.default_rng(seed)
    ends = [(a, b) for a in range(6) for b in range(6) if a != b and rng.random() < 0.5]
    if not ends:
        return
    found = roads(*ends, (5, 0), metres=[*rng.uniform(100, 9000, len(ends)), 500.0])
    travel = Travel(found, rng.uniform(4, 100, (found.places, 4)), STEP)
    best = travel.fastest(0, [5])
    graph = found.graph
    every = rx.all_simple_paths(graph, 0, 5)
    assert bool(best) == bool(len(every))
    if best:
        least = min(travel.duration(tuple(way)) for way in every)
        assert best[5].minutes == pytest.approx(least)
        assert travel.duration(best[5].places) == pytest.approx(least)
