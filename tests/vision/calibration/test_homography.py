import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from deepcity.vision.calibration.homography import (
    apply_homography,
    fit_homography,
    reprojection_error,
)

SQUARE_42 = np.array([[0.0, 0], [100, 0], [100, 50], [0, 50]])


@given(st.integers(0, 2**32 - 1), st.integers(4, 12), st.floats(0.001, 1000), st.floats(-1e4, 1e4))
def test_points_of_a_plane_come_back(seed, points, scale, shift):
    rng = np.random.default_rng(seed)
    true_33 = np.eye(3) + rng.uniform(-0.2, 0.2, (3, 3))
    true_33[2, :2] *= 0.3
    from_P2 = rng.uniform(-1, 1, (points, 2))
    # three in a line, or nearly, tell too little to come back to many digits
    triples = [from_P2[[a, b, c]] for a in range(4) for b in range(a) for c in range(b)]
    assume(min(abs(np.linalg.det(np.column_stack([t, np.ones(3)]))) for t in triples) > 0.05)
    to_P2 = scale * apply_homography(true_33, from_P2) + shift
    found_33 = fit_homography(from_P2, to_P2)
    assert reprojection_error(found_33, from_P2, to_P2) < 1e-6 * scale
    back_P2 = apply_homography(np.linalg.inv(found_33), to_P2)
    np.testing.assert_allclose(back_P2, from_P2, atol=1e-6)


def test_errors_of_points_are_spread_and_told():
    off_42 = SQUARE_42 / 10
    many_P2 = np.vstack([SQUARE_42, SQUARE_42 / 2])
    metres_P2 = np.vstack([off_42, off_42 / 2])
    metres_P2[0] += 0.5
    found_33 = fit_homography(many_P2, metres_P2)
    assert 0.02 < reprojection_error(found_33, many_P2, metres_P2) < 0.3


@pytest.mark.parametrize(
    ("points_P2", "reason"),
    [
        (SQUARE_42[:3], "3 pairs"),
        (np.array([[0.0, 0], [1, 1], [2, 2], [3, 3]]), "in a line"),
        (np.zeros((4, 2)), "in a line or in one place"),
        (np.array([[0.0, 0], [1, 0], [2, 0], [0, 1]]), "three of four"),
        (np.array([[0.0, 0], [1, 0], [np.nan, 0], [0, 1]]), "not finite"),
        (np.zeros((4, 3)), "shapes"),
    ],
)
def test_points_that_tell_no_plane_are_refused(points_P2, reason):
    target = SQUARE_42[: len(points_P2)] if points_P2.shape[1] == 2 else SQUARE_42
    with pytest.raises(ValueError, match=reason):
        fit_homography(points_P2, target)
