"""Which box is whose: synthetic walkers who cross, and people of a real campus."""

import gzip

import numpy as np
import pytest
from campus import FOLDER, NEEDS_CAMPUS
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from deepcity.vision.tracking import Tracker, TrackingRules, overlaps


def walker(x, y):
    return [x, y, x + 40.0, y + 100.0]


@settings(max_examples=25, deadline=None)
@given(speed=st.floats(30, 120), gap=st.floats(15, 60), seed=st.integers(0, 99))
def test_two_who_pass_each_other_keep_their_numbers(speed, gap, seed):
    rng, tracker = np.random.default_rng(seed), Tracker()
    seen = []
    for frame in range(60):
        way = speed * frame / 10
        boxes = np.array([walker(way, 100), walker(6 * speed - way, 100 + gap)])
        boxes += rng.normal(0, 1, boxes.shape)
        order = rng.permutation(2)
        numbers = np.empty(2, np.int64)
        numbers[order] = tracker.follow(frame / 10, boxes[order], np.ones(2))
        seen.append(numbers)
    assert (np.array(seen) == seen[0]).all()


def test_a_person_half_hidden_is_followed_by_boxes_of_low_confidence():
    tracker = Tracker()
    box = np.array([walker(10, 10)])
    numbers = [tracker.follow(i / 10, box, np.array([c]))[0] for i, c in enumerate([0.9, 0.2, 0.9])]
    assert numbers == [0, 0, 0]
    assert Tracker().follow(0.0, box, np.array([0.2]))[0] == -1


def test_who_is_unseen_too_long_comes_back_as_another():
    tracker = Tracker(TrackingRules(lost_s=1.0))
    box = np.array([walker(10, 10)])
    nobody = np.zeros((0, 4))
    assert tracker.follow(0.0, box, np.ones(1))[0] == 0
    tracker.follow(0.5, nobody, np.zeros(0))
    assert tracker.follow(0.9, box, np.ones(1))[0] == 0
    tracker.follow(2.0, nobody, np.zeros(0))
    assert tracker.numbers() == set()
    assert tracker.follow(2.1, box, np.ones(1))[0] == 1


def test_times_must_go_on_and_shapes_agree():
    tracker = Tracker()
    tracker.follow(1.0, np.zeros((0, 4)), np.zeros(0))
    with pytest.raises(ValueError, match="sort frames"):
        tracker.follow(1.0, np.zeros((0, 4)), np.zeros(0))
    with pytest.raises(ValueError, match="2 confidences"):
        tracker.follow(2.0, np.zeros((1, 4)), np.zeros(2))
    with pytest.raises(ValueError, match="not finite"):
        tracker.follow(2.0, np.full((1, 4), np.nan), np.ones(1))
    with pytest.raises(ValueError, match="<= low <= high"):
        TrackingRules(low=0.6)


def test_a_box_without_area_is_nobody():
    tracker = Tracker()
    for second in range(3):
        flat_14 = np.array([[5.0, 5, 5, 5], [0.0, 0, 10, 20]])
        assert tracker.follow(float(second), flat_14, np.ones(2)).tolist() == [-1, 0]


def test_overlap_of_halves():
    assert overlaps(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 0, 3, 2]]))[0, 0] == 1 / 3


@NEEDS_CAMPUS
@pytest.mark.real
@pytest.mark.parametrize("dropped", [0.0, 0.1])
def test_people_of_a_real_campus_keep_their_numbers(dropped):
    rows = _excerpt(FOLDER / "view-IP2.txt.gz", frames=900, every=3)
    rows = rows[np.random.default_rng(0).random(len(rows)) >= dropped]
    tracker, true, found = Tracker(), [], []
    for frame in np.unique(rows[:, 5]):
        now = rows[rows[:, 5] == frame]
        found += list(tracker.follow(frame / 30, now[:, 1:5], np.ones(len(now))))
        true += list(now[:, 0].astype(int))
    idf1, switches = _quality(np.array(true), np.array(found))
    assert idf1 >= 0.93
    assert switches <= 5


def _excerpt(file, *, frames, every):
    with gzip.open(file, "rt") as lines:
        rows = np.array([[float(x) for x in line.split()[:8]] for line in lines])
    rows = rows[(rows[:, 6] == 0) & (rows[:, 5] < rows[:, 5].min() + frames)]
    return rows[rows[:, 5] % every == 0]


def _quality(true_N, found_N):
    """IDF1 (Ristani et al. 2016) where every box found is a true one, and switches."""
    people, who = np.unique(true_N, return_inverse=True)
    tracks, which = np.unique(found_N, return_inverse=True)
    shared = np.zeros((len(people), len(tracks)))
    np.add.at(shared, (who, which), 1)
    rows, columns = linear_sum_assignment(shared, maximize=True)
    switches = sum(int((np.diff(found_N[true_N == p]) != 0).sum()) for p in people)
    return shared[rows, columns].sum() / len(true_N), switches
