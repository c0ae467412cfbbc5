from dataclasses import fields

import numpy as np
import pytest
from street_world import PLAN, small_day

from deepcity.simulation.cameras.camera_posts import CameraFaults
from deepcity.simulation.street_day import (
    StreetDaySettings,
    simulate_street_day,
    without_faults,
)


def test_the_same_seed_makes_the_same_day_and_another_does_not():
    settings = StreetDaySettings(300, 30, 4, PLAN)
    one, same, other = (simulate_street_day(settings, seed).tracks for seed in (1, 1, 2))
    for name in (field.name for field in fields(one)):
        np.testing.assert_array_equal(getattr(one, name), getattr(same, name))
    assert len(one.camera_R) != len(other.camera_R)


def test_faults_change_what_is_recorded_and_not_what_happens():
    with_them = small_day()
    settings = without_faults(StreetDaySettings(1500, 60, 12, PLAN, CameraFaults()))
    without = simulate_street_day(settings, 0)
    np.testing.assert_array_equal(with_them.cameras.node_C, without.cameras.node_C)
    assert [one.report_s for one in with_them.children] == [
        one.report_s for one in without.children
    ]
    assert len(with_them.tracks.camera_R) < len(without.tracks.camera_R)


def test_a_childs_tracks_are_where_and_when_it_was():
    settings = without_faults(StreetDaySettings(50, 243, 12, PLAN))
    day = simulate_street_day(settings, 3)
    for number, child in enumerate(day.children):
        tracks = day.tracks.of(day.tracks.person_R == day.number_of(number))
        assert len(tracks.camera_R) > 10
        for row in range(0, len(tracks.camera_R), 5):
            middle_s = (tracks.first_s_R[row] + tracks.last_s_R[row]) / 2
            place_2 = day.cameras.place_C2[tracks.camera_R[row]]
            assert np.linalg.norm(child.place_at(middle_s) - place_2) < 15.0


def test_every_second_child_tries_to_cross_and_all_ways_of_getting_lost_are_there():
    day = small_day()
    assert [one.kind for one in day.children[:6]] == ["foot", "foot", "bus", "bus", "car", "car"]
    assert not any(one.crossed for one in day.children[::2])
    assert np.mean([one.crossed for one in day.children[1::2]]) > 0.5


def test_nobody_is_no_day():
    with pytest.raises(ValueError, match="0 passers-by and 3 cases"):
        simulate_street_day(StreetDaySettings(persons=0, children=3), 0)
