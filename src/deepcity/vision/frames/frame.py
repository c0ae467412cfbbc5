"""One picture of a camera, which lives as long as it is looked at."""

from dataclasses import dataclass

from deepcity.vision.opencv import Image


@dataclass(frozen=True, eq=False)
class CameraFrame:
    """One picture.

    Attributes:
        camera: the camera's id.
        time_s: UTC seconds.
        image_HWC: blue, green and red, uint8.
    """

    camera: str
    time_s: float
    image_HWC: Image
