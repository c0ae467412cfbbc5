"""A person while in view: what was seen so far, without a picture.

Shapes: T sightings, E numbers of an embedding.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Doubles
from deepcity.vision.appearance import AppearanceSum
from deepcity.vision.calibration.camera_view import CameraView
from deepcity.vision.described_track import DescribedTrack
from deepcity.vision.track import Track

LEAST_HEIGHT_M, MOST_HEIGHT_M = 0.4, 2.5
"""A median outside of these is a wrong box or calibration, and not a height."""


@dataclass
class OpenTrack:
    """A person in view; grows by six numbers a sighting.

    Attributes:
        number: at its camera.
        time_s: UTC seconds of sightings.
        boxes: left, top, right, bottom in pixels.
        whole: whether each box lies within the picture, and shows head and feet.
        looks: how many crops were looked at.
        looked_s: when the last one was.
    """

    number: int
    time_s: list[float] = field(default_factory=list)
    boxes: list[Doubles] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    looks: int = 0
    looked_s: float = -math.inf
    _colours: AppearanceSum = field(default_factory=AppearanceSum)
    _direction_E: Doubles | None = None

    def see(self, time_s: float, box_4: Doubles, whole: bool) -> None:
        """Add a sighting."""
        self.time_s.append(time_s)
        self.boxes.append(box_4)
        self.whole.append(whole)

    def describe(self, crop: NDArray[np.uint8], weight: float) -> None:
        """Add the colours of a crop."""
        self._colours.add(crop, weight)

    def point(self, embedding_E: Doubles, weight: float) -> None:
        """Add the embedding of a crop; one that is not finite is left out."""
        if np.isfinite(embedding_E).all():
            before_E = 0.0 if self._direction_E is None else self._direction_E
            self._direction_E = before_E + weight * embedding_E

    def close(self, camera: str, view: CameraView | None) -> DescribedTrack:
        """The finished track."""
        box_T4 = np.array(self.boxes)
        track = Track(
            camera,
            self.number,
            np.array(self.time_s),
            box_T4,
            embedding_E=self._embedding(),
            ground_T2=np.zeros((0, 2)) if view is None else view.positions(box_T4),
        )
        height_m = math.nan if view is None else self._height_m(view.heights(box_T4))
        return DescribedTrack(track, height_m, self._colours.value())

    def _embedding(self) -> Doubles:
        """Mean direction of the crops' embeddings; empty where none was made."""
        if self._direction_E is None:
            return np.zeros(0)
        length = float(np.linalg.norm(self._direction_E))
        return self._direction_E / length if length > 0 else np.zeros(0)

    def _height_m(self, height_T: Doubles) -> float:
        """The median over whole boxes: a box cut by the picture's edge shows no height."""
        seen = height_T[np.array(self.whole) & np.isfinite(height_T)]
        found = float(np.median(seen)) if len(seen) else math.nan
        return found if LEAST_HEIGHT_M <= found <= MOST_HEIGHT_M else math.nan
