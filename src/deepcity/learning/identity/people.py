"""Pictures of people, by whom and by which camera; none ever leaves its city.

Shapes: I pictures, H rows, W columns, V numbers of a vector that stands for a picture.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Bools, Floats, Indices, Ints

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class People:
    """Pictures, who is on each, and which camera saw it.

    Attributes:
        input_I: bytes of pictures, (I, 3, H, W), or vectors by another network, (I, V).
    """

    input_I: Bytes | Floats
    person_I: Ints
    camera_I: Ints

    def of(self, some: Bools | Ints | Indices) -> "People":
        """Some of the pictures."""
        return People(self.input_I[some], self.person_I[some], self.camera_I[some])


@dataclass(frozen=True)
class IdentityData:
    """A city's pictures to train on, and of other people of its own to validate by."""

    party: str
    train: People
    validation: People
