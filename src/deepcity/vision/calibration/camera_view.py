"""A calibrated camera: where somebody stands, and how tall they are, from a box in its picture.

Two ways to calibrate: a pinhole camera whose lens, place and direction are known (heights too),
or pairs of points in the picture and on the ground (positions alone).

Pinhole: Hartley & Zisserman 2003, ch. 6; a point X in metres is seen at K R (X - C). The ground is
the plane at height 0; it is taken to be level.

Shapes: B boxes; boxes are left, top, right, bottom in pixels; ground positions metres east and
north of the site's origin.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from deepcity.city.arrays import Doubles
from deepcity.vision.calibration.homography import apply_homography


class CameraView(Protocol):
    """What a calibrated camera tells of boxes."""

    def positions(self, box_B4: Doubles) -> Doubles:
        """(B, 2) metres of the feet, the middle of a box's lower edge; NaN above the horizon."""
        ...

    def heights(self, box_B4: Doubles) -> Doubles:
        """(B,) metres from feet to the top of the head; NaN where it is unknown."""
        ...

    def doubts(self, box_B4: Doubles, pixels: float) -> Doubles:
        """(B,) metres by which a position is off if the lower edge is off by so many pixels."""
        ...


@dataclass(frozen=True)
class PinholeView:
    """A camera whose lens, place and direction are known.

    Attributes:
        focal: pixels, horizontally and vertically.
        centre: pixels of the picture's principal point.
        rotation_33: rows are the camera's right, down and forward in metres east, north and up.
        place_3: metres of the camera; above the ground.

    Raises:
        ValueError: if it does not stand above the ground, the rotation is none, or a focal length
            is not positive.
    """

    focal: tuple[float, float]
    centre: tuple[float, float]
    rotation_33: Doubles
    place_3: Doubles

    def __post_init__(self) -> None:
        turned = self.rotation_33
        if turned.shape != (3, 3) or not np.allclose(turned @ turned.T, np.eye(3), atol=0.01):
            raise ValueError("rotation must be three rows at right angles, each of length 1")
        if np.linalg.det(turned) < 0:
            raise ValueError("rotation mirrors the picture; turn the sign of one row around")
        if not all(np.isfinite(self.focal)) or min(self.focal) <= 0:
            raise ValueError(f"focal {self.focal}: give two positive numbers of pixels")
        if self.place_3.shape != (3,) or not np.isfinite(self.place_3).all():
            raise ValueError("place must be metres east, north and up, all finite")
        if self.place_3[2] <= 0:
            raise ValueError(
                f"the camera is {self.place_3[2]:g} m high; it must be over the ground"
            )

    def positions(self, box_B4: Doubles) -> Doubles:
        """As `CameraView`."""
        ray_B3 = self._rays(box_B4[:, [0, 2]].mean(axis=1), box_B4[:, 3])
        down_B = np.where(ray_B3[:, 2] < 0, ray_B3[:, 2], np.nan)  # above the horizon: none
        reach_B1 = (-self.place_3[2] / down_B)[:, None]
        return np.asarray(self.place_3[:2] + reach_B1 * ray_B3[:, :2])

    def heights(self, box_B4: Doubles) -> Doubles:
        """As `CameraView`; the head is taken to be straight above the feet."""
        away_B = np.linalg.norm(self.positions(box_B4) - self.place_3[:2], axis=1)
        ray_B3 = self._rays(box_B4[:, [0, 2]].mean(axis=1), box_B4[:, 1])
        flat_B = np.linalg.norm(ray_B3[:, :2], axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            rise_B = np.where(flat_B > 0, ray_B3[:, 2] / flat_B, np.nan)
        return np.asarray(self.place_3[2] + away_B * rise_B)

    def doubts(self, box_B4: Doubles, pixels: float) -> Doubles:
        """As `CameraView`."""
        return _moved(self, box_B4, pixels)

    def _rays(self, x_B: Doubles, y_B: Doubles) -> Doubles:
        """(B, 3) directions in metres east, north and up."""
        right_B = (x_B - self.centre[0]) / self.focal[0]
        down_B = (y_B - self.centre[1]) / self.focal[1]
        return np.column_stack([right_B, down_B, np.ones(len(x_B))]) @ self.rotation_33


@dataclass(frozen=True)
class PlaneView:
    """A camera known by pairs of points: from the picture to the ground.

    Attributes:
        homography_33: from pixels to metres (`fit_homography`).
        inside_2: a pixel of the ground in view, such as the middle of the pairs: what lies on the
            other side of the horizon is NaN.
    """

    homography_33: Doubles
    inside_2: Doubles

    def positions(self, box_B4: Doubles) -> Doubles:
        """As `CameraView`."""
        foot_B2 = np.column_stack([box_B4[:, [0, 2]].mean(axis=1), box_B4[:, 3]])
        found_B2 = apply_homography(self.homography_33, foot_B2)
        horizon_3 = self.homography_33[2]
        side_B = np.column_stack([foot_B2, np.ones(len(foot_B2))]) @ horizon_3
        own = float(np.append(self.inside_2, 1.0) @ horizon_3)
        return np.where((side_B * own > 0)[:, None], found_B2, np.nan)

    def heights(self, box_B4: Doubles) -> Doubles:
        """NaN: a plane has no height."""
        return np.full(len(box_B4), np.nan)

    def doubts(self, box_B4: Doubles, pixels: float) -> Doubles:
        """As `CameraView`."""
        return _moved(self, box_B4, pixels)


def _moved(view: CameraView, box_B4: Doubles, pixels: float) -> Doubles:
    """Half of the distance between feet that are so many pixels higher and lower."""
    up_B4, down_B4 = box_B4.copy(), box_B4.copy()
    up_B4[:, 3] -= pixels
    down_B4[:, 3] += pixels
    apart_B2 = view.positions(up_B4) - view.positions(down_B4)
    return np.asarray(np.linalg.norm(apart_B2, axis=1) / 2)
