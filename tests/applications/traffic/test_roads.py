"""Roads from a graph of places: lengths, what is next to what, directions."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from road import PLACES, graph

from deepcity.applications.traffic.roads import roads_of
from deepcity.city.place import Place


def pairs(roads):
    names = [place.id for place in PLACES]
    return {
        (names[tail], names[head]): metres
        for tail, head, metres in zip(roads.tail_E, roads.head_E, roads.metres_E, strict=True)
    }


def test_without_a_kernel_a_road_is_as_long_as_the_crow_flies():
    found = roads_of(PLACES, graph())
    assert found.directed
    assert len(found.metres_E) == 9 + 3
    assert pairs(found)["a", "b"] == pytest.approx(1000, rel=0.01)


def test_a_graph_of_both_directions_names_none():
    found = roads_of(PLACES, graph(both=True))
    assert not found.directed
    assert len(found.metres_E) == 2 * (9 + 3)


def line(lengths):
    """Places east of each other, and the distance between each two."""
    at = np.concatenate([[0.0], np.cumsum(lengths)])
    places = tuple(Place(f"p{n}", 0.0, metres / 111_195.0) for n, metres in enumerate(at))
    return places, np.abs(at[:, None] - at)


@given(st.lists(st.floats(200, 1500), min_size=8, max_size=12), st.floats(1500, 4000))
def test_a_kernel_s_lengths_come_back_and_ways_over_others_are_left_out(lengths, width):
    places, apart = line(lengths)
    weights = np.where(apart < 2 * width, np.exp(-((apart / width) ** 2)), 0).astype(np.float32)
    found = roads_of(places, weights)
    along = found.tail_E + 1 == found.head_E
    assert along.sum() == len(lengths)
    np.testing.assert_allclose(found.metres_E[along], lengths, rtol=0.02)
    assert (np.abs(found.tail_E - found.head_E) == 1).all()


def test_a_road_longer_than_the_crow_flies_keeps_its_length():
    places, apart = line([800.0] * 10)
    apart[0, 1] = apart[1, 0] = 1500.0  # a river between
    weights = np.where(apart < 5000, np.exp(-((apart / 2500) ** 2)), 0).astype(np.float32)
    found = roads_of(places, weights)
    (first,) = np.flatnonzero((found.tail_E == 0) & (found.head_E == 1))
    assert found.metres_E[first] == pytest.approx(1500, rel=0.02)


def test_two_places_side_by_side_keep_a_road_to_the_rest():
    places, _ = line([1000.0, 20.0, 1000.0])
    found = roads_of(places, np.ones((4, 4), np.float32))
    assert set(found.metres_from(0)) == {0, 1, 2, 3}
    assert len(found.tail_E) == 6


def test_no_graph_no_edge_or_no_position_is_no_road():
    assert roads_of(PLACES, None) is None
    assert roads_of(PLACES, np.eye(len(PLACES), dtype=np.float32)) is None
    assert roads_of((replace(PLACES[0], lat=None, lon=None), *PLACES[1:]), graph()) is None


def test_upstream_is_against_the_direction():
    found = roads_of(PLACES, graph())
    assert set(found.metres_from(3, upstream=True)) == {0, 1, 2, 3}
    assert set(found.metres_from(7)) == {7, 8, 9}
