"""Feet and heads of people whose place and height are known, seen by a camera that is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.vision.calibration.camera_view import PinholeView, PlaneView
from deepcity.vision.calibration.homography import fit_homography


def camera(height=5.0, tilt=0.2, turn=0.5):
    """Looks north-east and a little down."""
    forward = np.array([np.sin(turn) * np.cos(tilt), np.cos(turn) * np.cos(tilt), -np.sin(tilt)])
    right = np.array([np.cos(turn), -np.sin(turn), 0.0])
    rotation_33 = np.array([right, np.cross(forward, right), forward])
    return PinholeView((1000.0, 1000.0), (960.0, 540.0), rotation_33, np.array([3.0, -2, height]))


def seen(view, point_3):
    """Pixels of a point in metres."""
    right, down, ahead = view.rotation_33 @ (point_3 - view.place_3)
    return np.array([960 + 1000 * right / ahead, 540 + 1000 * down / ahead])


def box_of(view, east, north, tall):
    foot, head = seen(view, np.array([east, north, 0])), seen(view, np.array([east, north, tall]))
    # the head of an upright person is a little beside the feet in a picture; a box holds both
    return np.array([[foot[0] - 20, head[1], foot[0] + 20, foot[1]]])


@given(st.floats(5, 40), st.floats(-0.3, 0.3), st.floats(0.8, 2.1), st.floats(0.05, 0.5))
def test_place_and_height_of_a_person_come_back(away, aside, tall, tilt):
    view = camera(tilt=tilt)
    angle = 0.5 + aside
    east, north = 3 + away * np.sin(angle), -2 + away * np.cos(angle)
    box_14 = box_of(view, east, north, tall)
    np.testing.assert_allclose(view.positions(box_14), [[east, north]], atol=1e-6)
    assert view.heights(box_14)[0] == pytest.approx(tall, abs=0.15)


def test_above_the_horizon_nobody_stands():
    view = camera()
    above_14 = np.array([[900.0, 0, 950, 100]])
    assert np.isnan(view.positions(above_14)).all()
    assert np.isnan(view.heights(above_14)).all()


def test_far_away_a_pixel_counts_more():
    view = camera()
    boxes_24 = np.vstack([box_of(view, 6, 5, 1.7), box_of(view, 20, 35, 1.7)])
    near, far = view.doubts(boxes_24, 3.0)
    assert 0.02 < near < 0.5 < far


def test_a_plane_from_pairs_is_that_of_the_camera():
    view = camera()
    metres_P2 = np.array([[6.0, 5], [9, 6], [10, 15], [15, 20], [7, 9]])
    pixels_P2 = np.array([seen(view, np.append(one, 0)) for one in metres_P2])
    plane = PlaneView(fit_homography(pixels_P2, metres_P2), pixels_P2.mean(axis=0))
    box_14 = box_of(view, 12, 14, 1.8)
    np.testing.assert_allclose(plane.positions(box_14), [[12, 14]], atol=1e-6)
    assert np.isnan(plane.heights(box_14)).all()
    assert np.isnan(plane.positions(np.array([[900.0, 0, 950, 100]]))).all()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rotation_33": np.ones((3, 3))}, "right angles"),
        ({"rotation_33": -np.eye(3)}, "mirrors"),
        ({"place_3": np.array([0.0, 0, -1])}, "over the ground"),
        ({"place_3": np.array([0.0, 0, np.nan])}, "finite"),
        ({"focal": (0.0, 1.0)}, "positive"),
    ],
)
def test_what_is_no_camera_is_refused(change, reason):
    good = {
        "focal": (1.0, 1.0),
        "centre": (0.0, 0.0),
        "rotation_33": np.eye(3),
        "place_3": np.array([0.0, 0, 3]),
    }
    with pytest.raises(ValueError, match=reason):
        PinholeView(**good | change)
