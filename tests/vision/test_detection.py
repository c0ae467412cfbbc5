"""Boxes from a network's rows; and people of real pictures are found."""

import numpy as np
import pytest
from camera_networks import FOLDER, NEEDS_NETWORKS
from hypothesis import given
from hypothesis import strategies as st
from street_of_people import NEEDS_PEOPLE, people, placed

from deepcity.vision.detection import PersonDetector, person_boxes
from deepcity.vision.models.catalogue import DETECTOR, camera_network
from deepcity.vision.models.model_folder import located
from deepcity.vision.models.runtime import RunningNetwork
from deepcity.vision.tracking import overlaps


def row(image=0, label=1, confidence=0.9, left=0.1, top=0.2, right=0.3, bottom=0.8):
    return [image, label, confidence, left, top, right, bottom]


def test_rows_become_pixels_and_what_is_no_person_is_left_out():
    rows_R7 = np.array(
        [row(), row(label=2), row(confidence=0.05), row(right=np.nan), row(right=0.1)]
    )
    box_N4, confidence_N = person_boxes(rows_R7, 100, 200, 0.1)
    np.testing.assert_allclose(box_N4, [[20, 20, 60, 80]])
    np.testing.assert_allclose(confidence_N, [0.9])


def test_a_row_of_image_minus_one_ends_them():
    rows_R7 = np.array([row(), row(image=-1), row(left=0.4, right=0.6)])
    assert len(person_boxes(rows_R7, 100, 200, 0.1)[0]) == 1
    assert len(person_boxes(rows_R7[1:], 100, 200, 0.1)[0]) == 0


@given(st.lists(st.lists(st.floats(width=32), min_size=7, max_size=7), max_size=6))
def test_whatever_a_network_says_boxes_are_in_the_picture(rows):
    box_N4, confidence_N = person_boxes(np.array(rows).reshape(-1, 7), 100, 200, 0.1)
    assert ((box_N4 >= 0) & (box_N4 <= (200, 100, 200, 100))).all()
    assert ((confidence_N >= 0.1) & (confidence_N <= 1)).all()


@NEEDS_NETWORKS
@NEEDS_PEOPLE
@pytest.mark.real
def test_people_are_found_where_they_stand():
    """Real pictures of people, set on a street of plain grey, in a picture of 1920 x 1080."""
    pytest.importorskip("openvino")
    pytest.importorskip("cv2")
    find = PersonDetector(RunningNetwork(located(camera_network(DETECTOR), FOLDER))).find
    true_N4 = np.array([[300.0 + 350 * n, 300, 300 + 350 * n + 160, 700] for n in range(4)])
    box_N4, confidence_N = find(placed(people(4), true_N4))
    share_NM = overlaps(true_N4, box_N4[confidence_N > 0.5])
    assert (share_NM.max(axis=1) > 0.5).all()
