"""A TOML file of a city's cameras: where they stand, or pairs of points that say so.

[[camera]]
id = "gate"
size = [1920, 1080]              # pixels
[camera.pinhole]                 # lens, place and direction are known
focal = [1480, 1480]             # pixels
centre = [960, 540]
rotation = [[0.264, 0.964, -0.04], [0.013, -0.045, -0.999], [-0.964, 0.263, -0.024]]
place = [8.3, 13.4, 1.6]         # metres east, north and up

[[camera]]
id = "square"
size = [1280, 720]
pairs = [                        # or: four or more points on the ground
  { pixel = [102, 655], ground = [0.0, 0.0] },
  { pixel = [911, 640], ground = [9.5, 0.0] },
  { pixel = [770, 300], ground = [9.5, 18.0] },
  { pixel = [310, 305], ground = [0.0, 18.0] },
]
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from deepcity.city.errors import ConfigError
from deepcity.city.problem import Problem
from deepcity.data.config.settings import NAME
from deepcity.data.config.toml_file import Settings, read_toml, validate
from deepcity.vision.calibration.calibration import Calibration
from deepcity.vision.calibration.camera_view import CameraView, PinholeView, PlaneView
from deepcity.vision.calibration.homography import fit_homography, reprojection_error

Number = Annotated[float, Field(ge=-1e7, le=1e7, allow_inf_nan=False)]
Two = tuple[Number, Number]
Three = tuple[Number, Number, Number]
Pixels = Annotated[int, Field(ge=1, le=100_000)]
MOST_OFF_M = 0.5
"""Pairs that miss by more, in the root mean square, hold a mistake."""


class PinholeSettings(Settings):
    """A camera whose lens, place and direction are known.

    Attributes:
        focal, centre: pixels.
        rotation: rows are the camera's right, down and forward in metres east, north and up.
        place: metres east, north and up.
    """

    focal: Two
    centre: Two
    rotation: tuple[Three, Three, Three]
    place: Three

    def value(self) -> PinholeView:
        """The camera these settings describe.

        Raises:
            ValueError: if there is none.
        """
        return PinholeView(self.focal, self.centre, np.array(self.rotation), np.array(self.place))


class PairSettings(Settings):
    """One point: `pixel` in the picture, `ground` in metres east and north."""

    pixel: Two
    ground: Two


class CameraSettings(Settings):
    """One camera, by `pinhole` or by `pairs`.

    Attributes:
        id: its name in tracks and counts.
        size: width and height of its picture, pixels.
        most_off_m: metres by which pairs may miss, in the root mean square.
    """

    id: Annotated[str, Field(pattern=NAME)]
    size: tuple[Pixels, Pixels]
    pinhole: PinholeSettings | None = None
    pairs: tuple[PairSettings, ...] = ()
    most_off_m: Annotated[float, Field(gt=0, le=100)] = MOST_OFF_M

    def view(self) -> CameraView:
        """The calibrated camera.

        Raises:
            ValueError: with the reason why there is none.
        """
        if (self.pinhole is None) == (not self.pairs):
            raise ValueError("a camera is calibrated by pinhole or by pairs: write one of them")
        return self._of_pairs() if self.pinhole is None else self.pinhole.value()

    def _of_pairs(self) -> PlaneView:
        pixel_P2 = np.array([pair.pixel for pair in self.pairs])
        ground_P2 = np.array([pair.ground for pair in self.pairs])
        homography_33 = fit_homography(pixel_P2, ground_P2)
        off = reprojection_error(homography_33, pixel_P2, ground_P2)
        if not off <= self.most_off_m:
            raise ValueError(
                f"its pairs miss by {off:.2g} m, {self.most_off_m:g} are allowed: look for the one "
                "that is wrong, or write most_off_m"
            )
        return PlaneView(homography_33, pixel_P2.mean(axis=0))


class CamerasSettings(Settings):
    """All cameras of a file."""

    camera: Annotated[tuple[CameraSettings, ...], Field(min_length=1)]


def load_cameras(path: Path) -> Mapping[str, CameraView]:
    """Every camera of a file by its id.

    Raises:
        ConfigError: with every problem of it.
    """
    return {name: one.view for name, one in load_calibrations(path).items()}


def load_calibrations(path: Path) -> Mapping[str, Calibration]:
    """Every camera of a file by its id, with the size of the pictures it was calibrated by.

    Raises:
        ConfigError: with every problem of it.
    """
    raw, problems = read_toml(path)
    if raw is None:
        raise ConfigError(problems)
    found, problems = validate(CamerasSettings, raw, path.name)
    if found is None:
        raise ConfigError(problems)
    views: dict[str, Calibration] = {}
    for one in found.camera:
        key = f"camera[{one.id}]"
        if one.id in views:
            reason = "two cameras have this id"
            problems.append(Problem(path.name, key, one.id, reason, "name one of them otherwise"))
            continue
        try:
            views[one.id] = Calibration(one.view(), one.size)
        except ValueError as error:
            right = "correct its calibration, or leave the camera out"
            problems.append(Problem(path.name, key, None, str(error), right))
    if problems:
        raise ConfigError(problems)
    return views
