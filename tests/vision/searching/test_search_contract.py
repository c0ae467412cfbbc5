"""What every search of tracks does: in memory and on disk alike."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seen_tracks import NETWORK, NOW_S, person, seen, store

from deepcity.vision.described_track import DescribedTrack
from deepcity.vision.searching.exact_search import ExactSearch
from deepcity.vision.searching.person_query import PersonQuery, SearchSpan
from deepcity.vision.searching.sighting import TrackSearch
from deepcity.vision.searching.stored_search import StoredSearch

DAY = SearchSpan(NOW_S - 80_000, NOW_S + 4000)
KINDS = ("in memory", "on disk")


def search_of(kind: str, tracks: list[DescribedTrack], folder) -> TrackSearch:
    if kind == "in memory":
        return ExactSearch(NETWORK, tracks)
    kept = store(folder)
    for one in range(0, len(tracks), 3):  # of several files
        kept.append(tracks[one : one + 3])
    return StoredSearch(kept)


def picture(*numbers: float, **words: object) -> PersonQuery:
    return PersonQuery(NETWORK, np.stack([person(one) for one in numbers]), **words)


@pytest.fixture(params=KINDS)
def search(request, tmp_path):
    return lambda *tracks: search_of(request.param, list(tracks), tmp_path)


def test_the_most_alike_come_first_with_camera_time_and_score_alone(search):
    found = search(seen(3), seen(0, NOW_S + 900, camera="square"), seen(1), seen(2), seen(4))
    assert found.network == NETWORK
    first, second = found.nearest(picture(0), DAY, 2)
    assert (first.camera, first.time_s) == ("square", NOW_S + 895)
    assert first.score == pytest.approx(1, abs=2e-2)
    assert second.score < first.score
    assert set(vars(first)) == {"camera", "time_s", "score"}


def test_of_several_pictures_the_nearest_counts(search):
    (found,) = search(seen(7)).nearest(picture(3, 7, 9), DAY, 5)
    assert found.score == pytest.approx(1, abs=2e-2)


def test_another_network_or_width_is_refused(search):
    found = search(seen())
    with pytest.raises(ValueError, match="make the query's by that network"):
        found.nearest(PersonQuery("other", person(0)[None]), DAY, 5)
    with pytest.raises(ValueError, match="3 numbers by 'net'"):
        found.nearest(PersonQuery(NETWORK, np.array([[1.0, 0.0, 0.0]])), DAY, 5)


def test_times_and_cameras_bound_what_is_looked_at(search):
    found = search(
        seen(last_s=NOW_S), seen(last_s=NOW_S + 400, lasts_s=399), seen(camera="square"), seen(5)
    )
    at_gate = SearchSpan(NOW_S + 1, NOW_S + 300, frozenset({"gate", "no such"}))
    assert [one.time_s for one in found.nearest(picture(0), at_gate, 9)] == [NOW_S + 200.5]
    assert found.nearest(picture(0), SearchSpan(NOW_S + 1000, NOW_S + 2000), 9) == []
    assert found.nearest(picture(0), SearchSpan(0, 9, frozenset()), 9) == []
    assert len(found.nearest(picture(0), SearchSpan(NOW_S, NOW_S + 0.5), 9)) == 3


def test_what_contradicts_is_left_out_and_what_is_unknown_is_not(search):
    child = picture(0, height_m=(1.0, 1.2), upper=frozenset({"red", "orange"}))
    found = search(
        seen(last_s=NOW_S + 1, height_m=1.15, wears=("orange", "blue")),
        seen(last_s=NOW_S + 2),
        seen(last_s=NOW_S + 3, height_m=1.75, wears=("red", "blue")),
        seen(last_s=NOW_S + 4, height_m=1.1, wears=("green", "blue")),
        seen(last_s=NOW_S + 5, height_m=1.1, wears=("green", "blue"), share=0.3),
    )
    times = [one.time_s + 5 - NOW_S for one in found.nearest(child, DAY, 9)]
    assert sorted(times) == [1, 2, 5]


def test_words_alone_find_who_fits_the_earliest_of_equals_first(search):
    words = PersonQuery(height_m=(1.0, 1.2), lower=frozenset({"blue"}))
    fits = {"height_m": 1.1, "wears": ("red", "blue")}
    found = search(
        seen(last_s=NOW_S + 9),
        seen(last_s=NOW_S + 30, height_m=1.25, wears=("red", "blue")),
        *(seen(last_s=NOW_S + late, camera=f"c{late}", **fits) for late in (20, 10, 700)),
        seen(last_s=NOW_S + 10, camera="a", **fits),
    )
    given = found.nearest(words, DAY, 3)
    assert [(one.time_s + 5 - NOW_S, one.camera) for one in given] == [
        (10, "a"), (10, "c10"), (20, "c20")
    ]  # fmt: skip
    assert given[0].score == pytest.approx((1 + 0.9) / 2)
    assert len(found.nearest(words, DAY, 9)) == 5
    assert found.nearest(words, DAY, 0) == []


TRACKS = st.builds(
    seen,
    st.integers(0, 30),
    st.integers(-70_000, 3000).map(lambda late: NOW_S + late),
    camera=st.sampled_from(["a", "b", "c"]),
    lasts_s=st.integers(1, 5000),
    height_m=st.one_of(st.just(math.nan), st.floats(0.8, 2.1)),
    wears=st.one_of(st.none(), st.tuples(*[st.sampled_from(["red", "blue", "black"])] * 2)),
    share=st.floats(0.1, 1),
)
QUERIES = st.builds(
    lambda numbers, **words: picture(*numbers, **words) if numbers else PersonQuery(**words),
    st.lists(st.integers(0, 30), max_size=3),
    height_m=st.sampled_from([(1.0, 1.3), (1.6, 1.8)]),
    upper=st.sampled_from([frozenset(), frozenset({"red"}), frozenset({"red", "black"})]),
)
SPANS = st.builds(
    lambda since, lasts, cameras: SearchSpan(NOW_S + since, NOW_S + since + lasts, cameras),
    st.integers(-80_000, 4000),
    st.integers(1, 80_000),
    st.one_of(st.none(), st.frozensets(st.sampled_from(["a", "b", "z"]))),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(TRACKS, max_size=14), QUERIES, SPANS, st.integers(1, 6))
def test_both_find_the_same(tmp_path_factory, tracks, query, span, count):
    exact = search_of("in memory", tracks, None).nearest(query, span, 99)
    found = search_of("on disk", tracks, tmp_path_factory.mktemp("any")).nearest(query, span, count)
    assert len(found) == min(count, len(exact))
    known = {(one.camera, one.time_s): set() for one in exact}
    for one in exact:
        known[one.camera, one.time_s].add(one.score)
    for one, best in zip(found, exact, strict=False):
        assert one.score == pytest.approx(best.score, abs=0.02)  # of four numbers, each rounded
        scores = known[one.camera, one.time_s]
        assert any(one.score == pytest.approx(score, abs=0.02) for score in scores)


def test_the_embedding_of_a_sighting_is_that_of_its_track(search):
    found = search(seen(3), seen(0, NOW_S + 900, camera="square"))
    (one,) = found.nearest(picture(0), SearchSpan(NOW_S + 500, NOW_S + 1000), 1)
    assert found.embedding_of(one.camera, int(one.time_s)) == pytest.approx(person(0), abs=1e-2)
    assert found.embedding_of("gate", int(one.time_s)) is None
    assert found.embedding_of("square", int(one.time_s) + 1) is None
    assert found.embedding_of("no such", 0) is None
