from dataclasses import replace

import numpy as np
import pytest
from street_world import small_day

from deepcity.simulation.cameras.camera_posts import CameraFaults, CameraPosts, place_cameras
from deepcity.simulation.cameras.recording import NOBODY, record
from deepcity.simulation.people.passes import NodePasses

PERFECT = CameraFaults(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def posts(size=3, **changed):
    none = np.full((size, 2), np.nan)
    plain = CameraPosts(
        np.arange(size) * 2,
        np.zeros(size, np.int64),
        np.zeros((size, 2)),
        np.zeros(size),
        np.ones(size),
        np.ones(size, bool),
        none,
    )
    return replace(plain, **changed)


def crowd(size=4000, seed=0):
    """Walkers at crossings 0 to 5: cameras stand at 0, 2 and 4."""
    rng = np.random.default_rng(seed)
    since_s_P = np.sort(rng.uniform(0.0, 20_000.0, size))
    return NodePasses(
        rng.integers(0, 50, size), rng.integers(0, 6, size), since_s_P, since_s_P + 15.0
    )


HEIGHTS = np.linspace(1.0, 2.0, 50)


def recorded(faults=PERFECT, cameras=None, seed=1):
    cameras = posts() if cameras is None else cameras
    return record(crowd(), HEIGHTS, cameras, faults, np.random.default_rng(seed))


def test_perfect_cameras_record_every_pass_before_them_as_it_was():
    passes, tracks = crowd(), recorded()
    assert sorted(tracks.pass_R) == np.flatnonzero(passes.node_P % 2 == 0).tolist()
    np.testing.assert_array_equal(tracks.camera_R * 2, passes.node_P[tracks.pass_R])
    np.testing.assert_array_equal(tracks.person_R, passes.person_P[tracks.pass_R])
    np.testing.assert_array_equal(tracks.first_s_R, passes.since_s_P[tracks.pass_R])
    np.testing.assert_allclose(tracks.height_m_R, HEIGHTS[tracks.person_R])
    assert (np.diff(tracks.ready_s_R) >= 0).all()
    assert (tracks.other_R == NOBODY).all()


def test_a_wrong_clock_moves_what_a_camera_tells_and_not_when_it_can_be_searched():
    wrong = recorded(cameras=posts(clock_s_C=np.array([0.0, 90.0, -200.0])))
    np.testing.assert_array_equal(wrong.ready_s_R, recorded().ready_s_R)
    off_R = wrong.last_s_R - wrong.ready_s_R
    np.testing.assert_allclose(off_R, np.array([0.0, 90.0, -200.0])[wrong.camera_R])
    np.testing.assert_allclose(wrong.last_s_R - wrong.first_s_R, 15.0)


def test_what_is_missed_depends_on_the_camera_and_on_the_crowd():
    all_of_them = len(recorded().camera_R)
    half = recorded(cameras=posts(found_C=np.full(3, 0.5)))
    assert 0.45 < len(half.camera_R) / all_of_them < 0.55
    crowded = recorded(replace(PERFECT, crowd_missed=0.2))
    # of a Poisson number of others, 2/3 within 10 s on average: 0.8 to its power is exp(-0.2 * 2/3)
    assert abs(len(crowded.camera_R) / all_of_them - np.exp(-0.2 * 2 / 3)) < 0.03


def test_a_camera_that_is_down_records_nothing_then():
    down_s_C2 = np.full((3, 2), np.nan)
    down_s_C2[1] = 5000.0, 9000.0
    tracks = recorded(cameras=posts(down_s_C2=down_s_C2))
    inside_R = (tracks.first_s_R >= 5000.0) & (tracks.first_s_R < 9000.0)
    assert set(tracks.camera_R[inside_R]) == {0, 2}
    assert set(tracks.camera_R[~inside_R]) == {0, 1, 2}


def test_tracks_break_and_their_parts_follow_each_other():
    tracks = recorded(replace(PERFECT, split=0.25))
    whole = recorded()
    assert 0.2 < len(tracks.pass_R) / len(whole.pass_R) - 1 < 0.3
    row_R, counts = np.unique(tracks.pass_R, return_counts=True)
    twice = tracks.of(np.isin(tracks.pass_R, row_R[counts == 2]))
    order = np.lexsort([twice.first_s_R, twice.pass_R])
    np.testing.assert_allclose(twice.last_s_R[order][::2], twice.first_s_R[order][1::2])


def test_a_track_jumps_only_to_somebody_in_view_of_the_same_camera():
    passes = crowd()
    tracks = recorded(replace(PERFECT, mixed=0.5))
    mixed = np.flatnonzero(tracks.other_R != NOBODY)
    assert len(mixed) > 100
    for row in mixed[:100]:
        near_P = (passes.node_P == 2 * tracks.camera_R[row]) & (
            np.abs(passes.since_s_P - tracks.first_s_R[row]) < 15.0
        )
        assert tracks.other_R[row] in passes.person_P[near_P]


def test_some_tracks_show_nobody_and_have_no_height():
    tracks = recorded(replace(PERFECT, nobody=0.1))
    wrong_R = tracks.person_R == NOBODY
    assert 0.07 < wrong_R.mean() < 0.13
    assert np.isnan(tracks.height_m_R[wrong_R]).all()
    assert (tracks.pass_R[wrong_R] == -1).all()


def test_heights_are_known_of_calibrated_cameras_alone():
    tracks = recorded(
        replace(PERFECT, height_m=0.05), posts(calibrated_C=np.array([True, False, True]))
    )
    unknown_R = np.isnan(tracks.height_m_R)
    assert set(tracks.camera_R[unknown_R]) == {1}
    off_R = (tracks.height_m_R - HEIGHTS[tracks.person_R])[~unknown_R]
    assert 0.04 < off_R.std() < 0.06


def test_cameras_go_where_people_are_evenly_over_cities():
    day = small_day()
    assert np.bincount(day.cameras.city_C).tolist() == [20, 20, 20]
    assert len(set(day.cameras.node_C)) == 60
    busy_N = np.bincount(crowd().node_P, minlength=len(day.streets.place_N2))
    rng = np.random.default_rng(0)
    chosen = [place_cameras(30, day.streets, crowd(), PERFECT, rng).node_C for _ in range(20)]
    assert busy_N[np.concatenate(chosen)].mean() > 2 * busy_N.mean()


def test_clocks_are_wrong_by_the_shares_asked_for():
    rng = np.random.default_rng(0)
    faults = replace(PERFECT, slow_clocks=0.2, bad_clocks=0.1)
    day = small_day()
    off_s = np.abs(
        np.concatenate(
            [place_cameras(60, day.streets, crowd(), faults, rng).clock_s_C for _ in range(20)]
        )
    )
    assert 0.07 < (off_s > 110).mean() < 0.13
    assert 0.16 < ((off_s > 15) & (off_s < 110)).mean() < 0.24
    assert off_s.max() < 310


def test_impossible_cameras_are_refused():
    with pytest.raises(ValueError, match=r"missed 1\.5: give shares"):
        CameraFaults(missed=1.5)
    day = small_day()
    with pytest.raises(ValueError, match="2 cameras at 243 crossings"):
        place_cameras(2, day.streets, crowd(), PERFECT, np.random.default_rng(0))
