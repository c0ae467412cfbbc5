"""Persons in a picture: boxes and how sure each is.

A network of the single-shot kind (SSD; Liu et al., ECCV 2016): rows of image, label, confidence,
left, top, right and bottom, in shares of the picture.

Shapes: images (H, W, 3), blue, green and red, uint8; N boxes; 4: left, top, right, bottom, pixels.
"""

import numpy as np

from deepcity.city.arrays import Doubles
from deepcity.city.errors import NetworkFileError
from deepcity.vision.models.runtime import RunningNetwork
from deepcity.vision.opencv import Image, resized

PERSON = 1
"""The label of a person."""
_COLUMNS = 7
LEAST_CONFIDENCE = 0.1
"""Below, a box is noise; the tracker uses low ones for persons it follows already."""


class PersonDetector:
    """Finds persons.

    Args:
        network: from a picture to rows of seven numbers.
        least: confidence below which a box is left out.

    Raises:
        NetworkFileError: if it is no such network.
    """

    def __init__(self, network: RunningNetwork, least: float = LEAST_CONFIDENCE) -> None:
        if not is_detector(network.output_shape):
            raise NetworkFileError(
                f"{network.name}: its output is {network.output_shape}; a detector's ends in "
                f"{_COLUMNS}: image, label, confidence, left, top, right, bottom"
            )
        self._network, self._least = network, least

    def find(self, image_HWC: Image) -> tuple[Doubles, Doubles]:
        """((N, 4), (N,)) boxes within the picture, and their confidences from 0 to 1."""
        height, width = image_HWC.shape[:2]
        _, rows, columns = self._network.input_shape
        small = resized(image_HWC, rows, columns).transpose(2, 0, 1)[None].astype(np.float32)
        found_R7 = self._network.run(small).reshape(-1, _COLUMNS).astype(np.float64)
        return person_boxes(found_R7, height, width, self._least)


def person_boxes(
    found_R7: Doubles, height: int, width: int, least: float
) -> tuple[Doubles, Doubles]:
    """Boxes in pixels from a network's rows; a row of image -1 ends them, and what is odd is none.

    Args:
        found_R7: image, label, confidence, left, top, right, bottom.
    """
    ends_R = np.flatnonzero(found_R7[:, 0] < 0)
    found_R7 = found_R7[: ends_R[0]] if len(ends_R) else found_R7
    fine_R = np.isfinite(found_R7).all(axis=1)
    found_R7 = found_R7[fine_R & (found_R7[:, 1] == PERSON) & (found_R7[:, 2] >= least)]
    box_N4 = np.clip(found_R7[:, 3:], 0.0, 1.0) * (width, height, width, height)
    solid_N = ((box_N4[:, 2:] - box_N4[:, :2]) >= 1.0).all(axis=1)
    return box_N4[solid_N], np.clip(found_R7[solid_N, 2], 0.0, 1.0)


def is_detector(output_shape: tuple[int, ...]) -> bool:
    """Whether a network of this output finds boxes."""
    return len(output_shape) > 1 and output_shape[-1] == _COLUMNS
