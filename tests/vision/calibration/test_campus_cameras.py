"""Two calibrated cameras see the same people: do they agree where these stand?"""

import numpy as np
import pytest
from campus import NEEDS_CAMPUS, boxes, camera

pytestmark = [pytest.mark.real, NEEDS_CAMPUS]


def seen(view, every=3):
    rows_R2, box_R4 = boxes(view, every)
    standing_R = box_R4[:, 3] < 1078  # a box that the picture's edge cuts has no feet
    place_R2 = camera(view).positions(box_R4[standing_R])
    return dict(zip(map(tuple, rows_R2[standing_R]), place_R2, strict=True))


def test_a_person_in_two_views_stands_in_one_place():
    left, right = seen("HC3"), seen("HC4")
    both = sorted(set(left) & set(right))
    assert len(both) > 500
    apart_R = np.linalg.norm([left[one] - right[one] for one in both], axis=1)
    assert np.median(apart_R) < 0.5  # 0.3 m at 7 to 17 m from the cameras
    # as far from where the same person stands two seconds later, it would not be the same moment
    later = [(one, (one[0], one[1] + 60)) for one in both if (one[0], one[1] + 60) in right]
    moved_R = np.linalg.norm([left[now] - right[then] for now, then in later], axis=1)
    assert np.median(moved_R) > 2 * np.median(apart_R)


def test_doubt_grows_with_distance():
    view = camera("HC4")
    _, box_R4 = boxes("HC4", 30)
    away_R = np.linalg.norm(view.positions(box_R4) - view.place_3[:2], axis=1)
    doubt_R = view.doubts(box_R4, 2.0)
    near = away_R < np.median(away_R)
    assert np.median(doubt_R[near]) < np.median(doubt_R[~near]) < 2.0
