"""Rank-1 and mean average precision, by hand and by their own nature."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.learning.identity.retrieval import Sightings, find, one_query_each, pooled


def sightings(embedding: list[list[float]], person: list[int], camera: list[int]) -> Sightings:
    return Sightings(np.array(embedding, np.float32), np.array(person), np.array(camera))


def test_by_hand_the_own_camera_left_out_and_a_wrong_one_between_two_right_ones():
    query = sightings([[1, 0]], [7], [1])
    gallery = sightings([[1, 0], [1, 0.1], [1, 0.2], [1, 0.3]], [7, 7, 8, 7], [1, 2, 2, 3])
    found = find(query, gallery)
    assert found.rank1 == 1.0
    assert found.mean_precision == pytest.approx((1 + 2 / 3) / 2)


def test_a_query_that_nothing_can_answer_counts_nowhere():
    query = sightings([[1, 0], [0, 1]], [7, 9], [1, 1])
    gallery = sightings([[1, 0], [1, 0], [0, 1]], [7, 8, 9], [1, 2, 2])
    found = find(query, gallery)
    assert len(found.first_Q) == 1
    assert found.rank1 == 1.0
    assert np.isnan(find(query.of(np.array([0])), gallery).rank1)


def test_embeddings_that_are_not_finite_find_nobody():
    query = sightings([[np.nan, 1]], [7], [1])
    gallery = sightings([[0, 1], [np.inf, 1]], [8, 7], [2, 2])
    assert find(query, gallery).rank1 == 0.0


@given(st.integers(0, 2**32 - 1))
def test_equal_embeddings_of_a_person_are_always_found(seed):
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(6), 2)
    camera = np.tile([1, 2], 6)
    own = rng.normal(size=(6, 8)).astype(np.float32)[person]
    seen = Sightings(own * rng.uniform(0.5, 2, (12, 1)).astype(np.float32), person, camera)
    found = find(seen.of(one_query_each(person, camera)), seen)
    assert found.rank1 == 1.0
    assert found.mean_precision == 1.0
    assert len(pooled([found, found]).first_Q) == 24
