import numpy as np

from benchmarks.time_to_find.owners import TrackOwner
from deepcity.simulation.cameras.recording import SimulatedTracks
from deepcity.vision.described_track import DescribedTrack
from deepcity.vision.searching.exact_search import ExactSearch
from deepcity.vision.searching.person_query import PersonQuery, SearchSpan
from deepcity.vision.track import Track

SIZE = 60


def tracks(height_m=None):
    ready_s_R = np.arange(SIZE, dtype=float)
    number = np.arange(SIZE)
    height_m = np.full(SIZE, np.nan) if height_m is None else height_m
    return SimulatedTracks(
        number % 3, ready_s_R - 5, ready_s_R, height_m, ready_s_R, number, number * 0 - 1, number
    )


def looks(seed=0):
    found = np.random.default_rng(seed).normal(size=(SIZE, 8)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def owner(some=None, **changed):
    settings = {"height_m": np.nan, "most": 5} | changed
    return TrackOwner(tracks() if some is None else some, looks(), np.arange(SIZE), looks(1)[:2],
                      **settings)  # fmt: skip


def test_the_best_hits_are_those_of_the_search_of_the_vision_layer():
    shown_RE, query_QE = looks(), looks(1)[:1].astype(float)
    query_QE /= np.linalg.norm(query_QE)
    box_T4 = np.array([[0.0, 0, 10, 20]])
    described = [
        DescribedTrack(Track("c", row, np.array([float(row)]), box_T4, shown_RE[row].astype(float)))
        for row in range(SIZE)
    ]
    search = ExactSearch("n", described)
    theirs = search.nearest(PersonQuery("n", query_QE), SearchSpan(0.0, 41.0), 5)
    own = TrackOwner(tracks(), shown_RE, np.arange(SIZE), query_QE.astype(np.float32), np.nan, 5)
    assert sorted(one.time_s for one in theirs) == sorted(own.hits(40.0).tolist())


def test_nothing_is_found_before_it_can_be_searched_or_once_it_was_judged():
    own = owner()
    assert own.hits(-1.0).tolist() == []
    assert owner(most=100).hits(10.0).tolist() == list(range(11))
    first = own.hits(1e3)
    own.judged_R[first] = True
    assert not set(own.hits(1e3)) & set(first)


def test_heights_that_contradict_leave_out_and_unknown_ones_stay():
    height_m = np.where(np.arange(SIZE) % 2, 1.7, np.nan)
    height_m[0] = 1.25
    found = owner(tracks(height_m), height_m=1.2, most=100).hits(1e3)
    assert found.tolist() == list(range(0, SIZE, 2))


def test_a_confirmed_hit_brings_its_likes_forward():
    own = owner()
    row = int(own.score_R.argmin())
    before = own.score_R[row]
    own.learn(row)
    assert own.score_R.argmax() == row
    assert own.score_R[row] > before + 2


def test_scores_are_in_standard_deviations_and_weak_hits_stay_at_home():
    own = TrackOwner(tracks(), looks(), np.arange(SIZE), looks(1)[:1], np.nan, 100)
    np.testing.assert_allclose([own.score_R.mean(), own.score_R.std()], [0.0, 1.0], atol=1e-6)
    own.least = 1.0
    assert (own.score_R[own.hits(1e3)] >= 1.0).all()
    assert len(own.hits(1e3)) == (own.score_R >= 1.0).sum() < SIZE / 2
