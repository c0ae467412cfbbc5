"""Crops of Market-1501's training split, cut into cities: two cameras a city, 200 people apart.

Pictures are decoded from the archive each time and never written anywhere.

Shapes: I pictures, H rows, W columns.
"""

import io
import re
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from deepcity.city.arrays import Bools, Ints
from deepcity.learning.identity.people import Bytes

ARCHIVE = Path(__file__).parents[3] / "shared" / "data" / "persons" / "market1501_train.zip"
CITIES = ("north", "middle", "south")
"""Cameras 1 and 2, 3 and 4, 5 and 6."""
TEST_PEOPLE, ANCHORS = 200, 300
_NAME = re.compile(r"train/(\d{4})_c(\d)s\d_\d+_\d+\.jpg")


@dataclass(frozen=True)
class Crops:
    """Who is on each picture, and which camera saw it; in order of file names."""

    file_I: tuple[str, ...]
    person_I: Ints
    camera_I: Ints

    @cached_property
    def city_I(self) -> Ints:
        """0, 1 or 2."""
        return (self.camera_I - 1) // 2

    @cached_property
    def test_people(self) -> Ints:
        """200 people, the same for every seed, whom nothing here is trained on."""
        return np.random.default_rng(1501).permutation(np.unique(self.person_I))[:TEST_PEOPLE]

    @cached_property
    def test_I(self) -> Bools:
        """Pictures of people whom nothing is trained on."""
        return np.isin(self.person_I, self.test_people)


def crops() -> Crops:
    """What the archive's file names say."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        names = sorted(name for name in archive.namelist() if _NAME.fullmatch(name))
    found = [_NAME.fullmatch(name) for name in names]
    numbers = np.array([[int(one[1]), int(one[2])] for one in found if one], np.int64)
    return Crops(tuple(names), numbers[:, 0], numbers[:, 1])


def pictures(files: tuple[str, ...], width: int, height: int) -> Bytes:
    """Decoded and resized, (I, 3, H, W), red, green and blue."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        found = [_decoded(archive.read(name), width, height) for name in files]
    return np.stack(found)


def _decoded(blob: bytes, width: int, height: int) -> Bytes:
    from PIL import Image  # heavy, and not among the project's dependencies

    with Image.open(io.BytesIO(blob)) as picture:
        resized = picture.convert("RGB").resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized).transpose(2, 0, 1)
