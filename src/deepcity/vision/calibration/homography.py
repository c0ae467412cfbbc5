"""A plane in the picture and the same plane in metres: the homography between them.

Hartley & Zisserman 2003, "Multiple View Geometry in Computer Vision", ch. 2 and 4: the direct
linear transform with normalised points.

Shapes: P points, 2 coordinates; homographies are (3, 3) and map columns (x, y, 1).
"""

import numpy as np

from deepcity.city.arrays import Doubles

LEAST_PAIRS = 4
_ALMOST_LINE = 1e-6
"""Smallest singular value of four spread points, in the largest, under which they lie in a line."""


def fit_homography(from_P2: Doubles, to_P2: Doubles) -> Doubles:
    """The homography that maps points nearest to their partners, by least squares.

    >>> square_42 = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    >>> apply_homography(fit_homography(square_42, 2 * square_42 + 1), np.array([[0.5, 0.5]]))
    array([[2., 2.]])

    Raises:
        ValueError: if there are fewer than four pairs, or a number is not finite, or points of
            either side lie in a line or in one place.
    """
    if from_P2.shape != to_P2.shape or from_P2.ndim != 2 or from_P2.shape[1] != 2:
        raise ValueError(f"points of shapes {from_P2.shape} and {to_P2.shape}; give pairs (P, 2)")
    if len(from_P2) < LEAST_PAIRS:
        raise ValueError(f"{len(from_P2)} pairs; a homography needs {LEAST_PAIRS} or more")
    if not (np.isfinite(from_P2).all() and np.isfinite(to_P2).all()):
        raise ValueError("a coordinate is not finite; leave that pair out")
    before_33, after_33 = _normalising(from_P2), _normalising(to_P2)
    found_33 = _direct_linear(
        apply_homography(before_33, from_P2), apply_homography(after_33, to_P2)
    )
    homography_33 = np.linalg.inv(after_33) @ found_33 @ before_33
    return np.asarray(homography_33 / np.linalg.norm(homography_33))


def apply_homography(homography_33: Doubles, points_P2: Doubles) -> Doubles:
    """Points on the other plane; NaN where a point has none (on or beyond the horizon)."""
    mapped_P3 = np.column_stack([points_P2, np.ones(len(points_P2))]) @ homography_33.T
    weight_P1 = mapped_P3[:, 2:]
    with np.errstate(divide="ignore", invalid="ignore"):
        found_P2 = mapped_P3[:, :2] / weight_P1
    return np.where(np.isfinite(found_P2), found_P2, np.nan)


def reprojection_error(homography_33: Doubles, from_P2: Doubles, to_P2: Doubles) -> float:
    """Root mean square distance of mapped points from their partners, in the latter's unit."""
    off_P = np.linalg.norm(apply_homography(homography_33, from_P2) - to_P2, axis=1)
    return float(np.sqrt(np.mean(off_P**2)))


def _normalising(points_P2: Doubles) -> Doubles:
    """Moves points around the origin, at a mean distance of the root of two."""
    centre_2 = points_P2.mean(axis=0)
    spread = np.linalg.svd(points_P2 - centre_2, compute_uv=False)
    if spread[-1] <= _ALMOST_LINE * spread[0]:
        raise ValueError(
            f"all {len(points_P2)} points lie in a line or in one place; add some beside it"
        )
    scale = np.sqrt(2) / np.linalg.norm(points_P2 - centre_2, axis=1).mean()
    shift_2 = -scale * centre_2
    return np.array([[scale, 0, shift_2[0]], [0, scale, shift_2[1]], [0, 0, 1]])


def _direct_linear(from_P2: Doubles, to_P2: Doubles) -> Doubles:
    """H with to x (H from) nearest to zero."""
    one_P3 = np.column_stack([from_P2, np.ones(len(from_P2))])
    none_P3 = np.zeros_like(one_P3)
    x_P1, y_P1 = to_P2[:, :1], to_P2[:, 1:]
    equations = np.vstack(
        [
            np.hstack([one_P3, none_P3, -x_P1 * one_P3]),
            np.hstack([none_P3, one_P3, -y_P1 * one_P3]),
        ]
    )
    # four points of which three lie in a line leave many solutions, or one that folds the plane
    _, size, rows = np.linalg.svd(equations)
    found_33 = np.asarray(rows[-1].reshape(3, 3))
    folded = np.linalg.svd(found_33, compute_uv=False)
    if min(size[7] / size[0], folded[2] / folded[0]) <= _ALMOST_LINE:
        raise ValueError("three of four points lie in a line; add points that do not")
    return found_33
