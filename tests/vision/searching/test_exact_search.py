"""Tracks that resemble a query, best first; heights and clothes that speak against it do not."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.vision.appearance import Appearance, Clothing
from deepcity.vision.described_track import DescribedTrack
from deepcity.vision.searching.exact_search import ExactSearch
from deepcity.vision.searching.person_query import PersonQuery, SearchSpan
from deepcity.vision.track import Track

DAY = SearchSpan(0, 86_400)


def track(
    angle: float = 0.0,
    at_s: float = 100.0,
    *,
    camera: str = "gate",
    height_m: float = math.nan,
    wears: tuple[str, str] | None = None,
) -> DescribedTrack:
    time_s_T = np.array([at_s, at_s + 10])
    seen = Track(camera, 1, time_s_T, np.ones((2, 4)), np.array([math.cos(angle), math.sin(angle)]))
    clothes = None if wears is None else Appearance(*(Clothing(one, 0.9) for one in wears))
    return DescribedTrack(seen, height_m, clothes)


def picture(angle: float = 0.0, **words: object) -> PersonQuery:
    row = [[math.cos(angle), math.sin(angle)]]
    return PersonQuery("net", np.array(row), **words)  # type: ignore[arg-type]


def test_the_most_alike_come_first_with_camera_time_and_score_alone() -> None:
    found = ExactSearch("net", [track(1.0), track(0.1, 200, camera="square"), track(0.5)])
    first, second = found.nearest(picture(), DAY, 2)
    assert (first.camera, first.time_s) == ("square", 205)
    assert first.score == pytest.approx(math.cos(0.1))
    assert second.score == pytest.approx(math.cos(0.5))
    assert set(vars(first)) == {"camera", "time_s", "score"}


def test_of_several_pictures_the_nearest_counts() -> None:
    rows = np.array([[1.0, 0.0], [0.0, 1.0]])
    (found,) = ExactSearch("net", [track(math.pi / 2)]).nearest(PersonQuery("net", rows), DAY, 5)
    assert found.score == pytest.approx(1.0)


def test_another_network_or_width_is_refused() -> None:
    search = ExactSearch("net", [track()])
    with pytest.raises(ValueError, match="make the query's by that network"):
        search.nearest(PersonQuery("other", np.array([[1.0, 0.0]])), DAY, 5)
    with pytest.raises(ValueError, match="3 numbers by 'net'"):
        search.nearest(PersonQuery("net", np.array([[1.0, 0.0, 0.0]])), DAY, 5)


def test_times_and_cameras_bound_what_is_looked_at() -> None:
    search = ExactSearch("net", [track(at_s=100), track(at_s=500), track(camera="square")])
    at_gate = SearchSpan(0, 300, frozenset({"gate"}))
    assert [one.time_s for one in search.nearest(picture(), at_gate, 9)] == [105]
    assert search.nearest(picture(), SearchSpan(1000, 2000), 9) == []
    # a track that had begun before the span was still in view
    assert len(search.nearest(picture(), SearchSpan(505, 900), 9)) == 1


def test_what_contradicts_is_left_out_and_what_is_unknown_is_not() -> None:
    child = picture(height_m=(1.0, 1.2), upper=frozenset({"red", "orange"}))
    known = [
        track(at_s=1, height_m=1.15, wears=("orange", "blue")),
        track(at_s=2),
        track(at_s=3, height_m=1.75, wears=("red", "blue")),
        track(at_s=4, height_m=1.1, wears=("green", "blue")),
    ]
    found = ExactSearch("net", known).nearest(child, DAY, 9)
    assert [one.time_s for one in found] == [6, 7]


def test_words_alone_find_who_fits() -> None:
    words = PersonQuery(height_m=(1.0, 1.2), lower=frozenset({"blue"}))
    known = [
        track(at_s=1),
        track(at_s=2, height_m=1.1, wears=("red", "blue")),
        track(at_s=3, height_m=1.25, wears=("red", "blue")),
    ]
    first, second = ExactSearch("net", known).nearest(words, DAY, 9)
    assert (first.time_s, second.time_s) == (7, 8)
    assert first.score == pytest.approx((1 + 0.9) / 2)
    assert ExactSearch("net", []).nearest(words, DAY, 9) == []


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "nothing to look for"),
        ({"network": "net", "embedding_QE": np.array([[np.nan, 0]])}, "NaN"),
        ({"network": "net", "embedding_QE": np.array([[2.0, 0]])}, "length 1"),
        ({"embedding_QE": np.array([[1.0, 0]])}, "name of their network"),
        ({"network": "net", "embedding_QE": np.eye(40)}, "40 embeddings"),
        ({"network": "net", "embedding_QE": np.ones(4)}, "one row a picture"),
        ({"upper": frozenset({"mauve"})}, "'mauve': use black"),
        ({"height_m": (1.8, 1.2)}, "least and the most"),
        ({"height_m": (math.nan, 1.2)}, "least and the most"),
    ],
)
def test_a_query_that_is_none_is_refused(given: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        PersonQuery(**given)  # type: ignore[arg-type]


def test_all_that_is_wrong_with_a_query_is_said_at_once() -> None:
    with pytest.raises(ValueError, match=r"mauve.*a height"):
        PersonQuery(upper=frozenset({"mauve"}), height_m=(3, 4))


def test_a_span_that_ends_first_is_refused() -> None:
    for since_s, until_s in ((5, 5), (6, 5), (math.nan, 5)):
        with pytest.raises(ValueError, match="end after it begins"):
            SearchSpan(since_s, until_s)


@given(
    st.lists(st.tuples(st.floats(0, 6.28), st.floats(0, 1000)), max_size=20),
    st.floats(0, 6.28),
    st.integers(1, 8),
)
def test_no_track_left_out_is_better_than_one_that_is_given(
    tracks: list[tuple[float, float]], angle: float, count: int
) -> None:
    search = ExactSearch("net", [track(*one) for one in tracks])
    found = search.nearest(picture(angle), DAY, count)
    scores = sorted((math.cos(one - angle) for one, _ in tracks), reverse=True)
    assert [one.score for one in found] == pytest.approx(scores[:count], abs=1e-9)
