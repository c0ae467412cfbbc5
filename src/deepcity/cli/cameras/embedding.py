"""Embeddings of the person in some pictures, as a file that a search takes."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deepcity.city.errors import CameraError
from deepcity.city.regular_file import read_regular
from deepcity.cli.cameras.chosen import ChosenNetworks
from deepcity.store.atomic import write_atomic, write_error_text
from deepcity.vision.detection import PersonDetector
from deepcity.vision.opencv import Image, decoded
from deepcity.vision.searching.person_query import MOST_PICTURES

_MOST_BYTES = 50_000_000
_SURE = 0.5
_ALIKE = 0.5
"""Share of the largest person's size from which on another may be the one who is meant."""


def write_embeddings(
    pictures: Sequence[Path], out: Path, chosen: ChosenNetworks, *, whole: bool
) -> tuple[int, str]:
    """Write ``{"network": NAME, "embeddings": [[...], ...]}``; returns how many, and the network.

    Args:
        whole: each picture shows the person and no more; else the largest person in it is taken.

    Raises:
        CameraError: naming every picture that cannot be used; nothing is written then.
        NetworkFileError: if a network is not there or of no use.
    """
    if len(pictures) > MOST_PICTURES:
        raise CameraError(f"{len(pictures)} pictures: give {MOST_PICTURES} at most")
    detector, embedder = chosen.load()
    assert embedder is not None
    crops, problems = [], []
    for path in pictures:
        try:
            image = _read(path)
            crops.append(image if whole else _largest(path, image, detector))
        except CameraError as error:
            problems.append(str(error))
    if problems:
        raise CameraError("; ".join(problems))
    embedding_QE = embedder.embed(crops)
    if not np.isfinite(embedding_QE).all():
        raise CameraError("a picture gives no direction (it is of one colour?); leave it out")
    found = {"network": embedder.name, "embeddings": embedding_QE.round(6).tolist()}
    data = json.dumps(found).encode()
    try:
        write_atomic(out, data, private=True)
    except OSError as error:
        raise CameraError(write_error_text(out, error, len(data))) from error
    return len(crops), embedder.name


def _read(path: Path) -> Image:
    try:
        image = decoded(read_regular(path, _MOST_BYTES))
    except OSError as error:
        raise CameraError(f"{path} cannot be read: {error.strerror}") from error
    if image is None:
        raise CameraError(f"{path} is no picture (JPEG, PNG and others)")
    return image


def _largest(path: Path, image: Image, detector: PersonDetector) -> Image:
    """The one person in a picture, cut out.

    Raises:
        CameraError: if nobody is in it for sure, or somebody else is about as large.
    """
    box_B4, confidence_B = detector.find(image)
    box_B4 = box_B4[confidence_B >= _SURE]
    if not len(box_B4):
        raise CameraError(
            f"{path}: no person was found in it; cut the person out and use --whole, or leave it "
            f"out"
        )
    size_B = (box_B4[:, 2] - box_B4[:, 0]) * (box_B4[:, 3] - box_B4[:, 1])
    largest = int(np.argmax(size_B))
    if (size_B >= _ALIKE * size_B[largest]).sum() > 1:
        raise CameraError(
            f"{path}: several persons are in it; cut the one who is looked for out and use --whole"
        )
    left, top, right, bottom = box_B4[largest].round().astype(int)
    height, width = image.shape[:2]
    return image[max(0, top) : min(height, bottom), max(0, left) : min(width, right)]
