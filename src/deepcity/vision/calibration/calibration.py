"""A camera's calibration and the pictures it was made by; it holds for larger and smaller ones.

Shapes: B boxes; 4: left, top, right, bottom in pixels.
"""

from dataclasses import dataclass

from deepcity.city.arrays import Doubles
from deepcity.vision.calibration.camera_view import CameraView

_SAME_SHAPE = 0.01
"""Share by which widths and heights may differ in scale: sizes are rounded to whole pixels."""


@dataclass(frozen=True)
class ScaledView:
    """A calibrated camera whose pictures have another size than those it was calibrated by.

    Attributes:
        scale: pixels of the calibration's pictures for one of these.
    """

    view: CameraView
    scale: float

    def positions(self, box_B4: Doubles) -> Doubles:
        """As `CameraView`."""
        return self.view.positions(self.scale * box_B4)

    def heights(self, box_B4: Doubles) -> Doubles:
        """As `CameraView`."""
        return self.view.heights(self.scale * box_B4)

    def doubts(self, box_B4: Doubles, pixels: float) -> Doubles:
        """As `CameraView`."""
        return self.view.doubts(self.scale * box_B4, self.scale * pixels)


@dataclass(frozen=True)
class Calibration:
    """A calibrated camera.

    Attributes:
        size: width and height of its pictures, pixels.
    """

    view: CameraView
    size: tuple[int, int]

    def for_pictures(self, width: int, height: int) -> CameraView:
        """The camera for pictures of this size.

        Raises:
            ValueError: if they are of another shape: cut, or turned.
        """
        across, down = self.size[0] / width, self.size[1] / height
        if abs(across / down - 1) > _SAME_SHAPE:
            raise ValueError(
                f"pictures of {width} x {height} are of another shape than the {self.size[0]} x "
                f"{self.size[1]} it was calibrated by; calibrate it by pictures as they come"
            )
        return self.view if across == down == 1 else ScaledView(self.view, across)
