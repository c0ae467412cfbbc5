"""A video of people who walk over a plain street, and other pictures of them.

Shapes: F frames, K people, images (H, W, 3), blue, green and red, uint8.
"""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.persons.pictures import ARCHIVE, Crops
from deepcity.vision.opencv import Image, decoded, resized

HEIGHT, WIDTH, RATE, FRAMES = 1080, 1920, 5.0, 40
_NEAR, _FAR = (420, 620), (250, 330)
"""Height of people in pixels and where their heads are: in two rows, near and far."""
_STEP, _ROW, _CROP_EVERY = 8, 8, 8
_GREY = 120
_FEWEST = 4
"""Crops of a person by one camera, so that they do not look the same in every frame."""


@dataclass(frozen=True)
class Walkers:
    """People, the crops they wear in the video, and one of each by another camera."""

    worn: tuple[tuple[Image, ...], ...]
    other: tuple[Image, ...]


def walkers(shown: Crops, count: int, seed: int) -> Walkers:
    """So many people, drawn by the seed."""
    rng = np.random.default_rng(seed)
    worn: list[tuple[Image, ...]] = []
    other: list[Image] = []
    with zipfile.ZipFile(ARCHIVE) as archive:
        for person in rng.permutation(shown.test_people):
            picked = _files(shown, int(person))
            if picked is None or len(worn) == count:
                continue
            files, query = picked
            pictures = [decoded(archive.read(name)) for name in (*files, query)]
            found = [one for one in pictures if one is not None]
            worn.append(tuple(found[:-1]))
            other.append(found[-1])
    return Walkers(tuple(worn), tuple(other))


def write_street(path: Path, people: Walkers) -> None:
    """The video, MPEG-4."""
    import cv2

    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), RATE, (WIDTH, HEIGHT))
    for image in _frames(people):
        writer.write(image)
    writer.release()


def place_of(who: int, number: int) -> tuple[int, int]:
    """Left and top of a person in a frame, pixels."""
    top = (_FAR if who >= _ROW else _NEAR)[1]
    return 40 + (who % _ROW) * 190 + number * _STEP, top


def _frames(people: Walkers) -> Iterator[Image]:
    for number in range(FRAMES):
        image = np.full((HEIGHT, WIDTH, 3), _GREY, np.uint8)
        for who, crops in enumerate(people.worn):
            tall = (_FAR if who >= _ROW else _NEAR)[0]
            left, top = place_of(who, number)
            wide = int(0.4 * tall)
            crop = crops[number // _CROP_EVERY % len(crops)]
            image[top : top + tall, left : left + wide] = resized(crop, tall, wide)
        yield image


def _files(shown: Crops, person: int) -> tuple[list[str], str] | None:
    """Crops of a person by one camera, and one by another; None: there are too few."""
    of_person = np.flatnonzero(shown.person_I == person)
    cameras = np.unique(shown.camera_I[of_person])
    for camera in cameras:
        files = [shown.file_I[one] for one in of_person if shown.camera_I[one] == camera]
        others = [shown.file_I[one] for one in of_person if shown.camera_I[one] != camera]
        if len(files) >= _FEWEST and others:
            return files[:_FEWEST], others[0]
    return None
