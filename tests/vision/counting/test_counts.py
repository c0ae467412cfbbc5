"""Counts of people whose way is known."""

import numpy as np
import pytest
from campus import FRAMES_S, NEEDS_CAMPUS, boxes, camera
from hypothesis import given
from hypothesis import strategies as st
from walkers import walker

from deepcity.vision.counting.crossings import CountLine, crossings
from deepcity.vision.counting.density import GroundCells, crowd_density
from deepcity.vision.counting.presence import dwell_seconds, persons_in_view, withheld
from deepcity.vision.counting.time_bins import CountTimes
from deepcity.vision.track import Track

MINUTES = CountTimes(0, 60, 3)
LINE = CountLine((0.0, 0.0), (10.0, 0.0))


def test_a_person_counts_once_in_each_time_in_view():
    tracks = [
        walker(1, (0, 0), (1, 1), first_s=50, seconds=20),
        walker(2, (0, 0), (1, 1), first_s=70),
        walker(3, (0, 0), (1, 1), first_s=500),
    ]
    assert persons_in_view(tracks, MINUTES).tolist() == [1, 2, 0]


def test_stays_of_few_are_withheld():
    tracks = [walker(n, (0, 0), (1, 1), first_s=5 * n, seconds=10 + n) for n in range(3)]
    np.testing.assert_equal(dwell_seconds(tracks, MINUTES, 3), [11, np.nan, np.nan])
    np.testing.assert_equal(dwell_seconds(tracks, MINUTES, 4), [np.nan] * 3)
    np.testing.assert_equal(withheld(np.array([0, 4, 5]), 5), [np.nan, np.nan, 5])


@pytest.mark.parametrize(
    ("start", "end", "counted"),
    [
        ((5, -3), (5, 3), (1, 0)),
        ((5, 3), (5, -3), (0, 1)),
        ((5, -3), (5, -1), (0, 0)),
        ((12, -3), (12, 3), (0, 0)),  # past its end
        ((5, 0), (6, 0.05), (0, 0)),  # on the line
    ],
)
def test_who_crosses_counts_by_direction(start, end, counted):
    left_C, right_C = crossings([walker(1, start, end)], LINE, MINUTES)
    assert (left_C.sum(), right_C.sum()) == counted


def test_who_turns_around_or_sways_counts_not_or_once():
    there, back = walker(1, (5, -3), (5, 3)), walker(1, (5, 3), (5, -3), first_s=11)
    both = Track(
        "gate",
        1,
        np.concatenate([there.time_s_T, back.time_s_T]),
        np.vstack([there.box_T4, back.box_T4]),
        ground_T2=np.vstack([there.ground_T2, back.ground_T2]),
    )
    assert not np.any(crossings([both], LINE, MINUTES))
    once = Track(
        "gate",
        1,
        np.concatenate([there.time_s_T, back.time_s_T, 30 + there.time_s_T]),
        np.vstack([there.box_T4, back.box_T4, there.box_T4]),
        ground_T2=np.vstack([there.ground_T2, back.ground_T2, there.ground_T2]),
    )
    left_C, right_C = crossings([once], LINE, MINUTES)
    assert (left_C.tolist(), right_C.sum()) == ([1, 0, 0], 0)


@given(
    st.lists(
        st.tuples(st.floats(-9, 9), st.floats(-9, 9), st.floats(-9, 9), st.floats(-9, 9)),
        max_size=8,
    )
)
def test_in_and_out_of_a_square_is_who_is_left_in_it(ways):
    corners = [(-5.0, -5.0), (5.0, -5.0), (5.0, 5.0), (-5.0, 5.0)]
    tracks = [walker(n, way[:2], way[2:], frames=50) for n, way in enumerate(ways)]
    # a point within the sway of a side has none yet, and who cuts a corner crosses two lines
    for track in tracks:
        off_T2 = np.abs(np.abs(track.ground_T2[[0, -1]]) - 5)
        if off_T2.min() < 0.2:
            return
    sides = [CountLine(a, b) for a, b in zip(corners, corners[1:] + corners[:1], strict=True)]
    found = [crossings(tracks, side, MINUTES) for side in sides]
    inward = sum(int(left.sum()) for left, _ in found)
    outward = sum(int(right.sum()) for _, right in found)
    inside = [(np.abs(track.ground_T2[[0, -1]]) < 5).all(axis=1) for track in tracks]
    gained = sum(int(one[1]) - int(one[0]) for one in inside)
    assert inward - outward == gained


def test_density_is_persons_by_area_and_time():
    cells = GroundCells(0, 0, 2.0, 5, 1)
    still = walker(1, (3, 1), (3, 1), seconds=120, frames=121)
    found_CYX = crowd_density([still, walker(2, (50, 1), (50, 1))], cells, MINUTES)
    assert found_CYX.shape == (3, 1, 5)
    np.testing.assert_allclose(found_CYX[:2, 0, 1], 1 / 4)  # one on 2 m x 2 m, all the time
    assert found_CYX.sum() == pytest.approx(2 / 4)


def test_who_is_hidden_for_long_is_not_taken_to_stand_there():
    cells = GroundCells(0, 0, 2.0, 5, 1)
    hidden = walker(1, (3, 1), (3, 1), seconds=120, frames=2)
    person_s = crowd_density([hidden], cells, MINUTES).sum() * 60 * 4
    assert person_s == pytest.approx(2)


@given(st.integers(100, 140), st.floats(1, 170))
def test_density_adds_up_to_the_seconds_in_view(frames, seconds):
    cells = GroundCells(-1, -1, 0.5, 30, 30)
    track = walker(1, (0, 0), (10, 10), seconds=seconds, frames=frames)
    person_s = crowd_density([track], cells, MINUTES).sum() * 60 * 0.25
    assert person_s == pytest.approx(seconds)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: CountTimes(0, 0, 3),
        lambda: CountLine((1.0, 1.0), (1.0, 1.0)),
        lambda: CountLine((1.0, 1.0), (np.nan, 1.0)),
        lambda: GroundCells(0, 0, 0.0, 1, 1),
        lambda: GroundCells(0, 0, 1.0, 10**4, 10**4),
        lambda: crowd_density([], GroundCells(0, 0, 1.0, 1000, 1000), CountTimes(0, 60, 1440)),
    ],
)
def test_what_nothing_can_be_counted_by_is_refused(wrong):
    with pytest.raises(ValueError, match=r"\d"):
        wrong()


@pytest.mark.real
@NEEDS_CAMPUS
def test_real_people_are_counted_once_each():
    rows_R2, box_R4 = boxes("HC3", 3)
    view = camera("HC3")
    tracks = []
    for number in np.unique(rows_R2[:, 0]):
        own = rows_R2[:, 0] == number
        time_s_T = rows_R2[own, 1] / FRAMES_S
        order = np.argsort(time_s_T)
        box_T4 = box_R4[own][order]
        tracks.append(
            Track("HC3", int(number), time_s_T[order], box_T4, ground_T2=view.positions(box_T4))
        )
    times = CountTimes(0, 60, 4)
    found_C = persons_in_view(tracks, times)
    truth_C = [
        len(np.unique(rows_R2[(rows_R2[:, 1] // (60 * FRAMES_S)) == minute, 0]))
        for minute in range(4)
    ]
    assert found_C.tolist() == truth_C
    cells = GroundCells(-20, -20, 1.0, 60, 60)
    crowd_CYX = crowd_density(tracks, cells, times)
    assert 0 < crowd_CYX.max() < 6  # no more than a crowd packs
