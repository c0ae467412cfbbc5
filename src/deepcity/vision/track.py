"""One person followed through one camera's view.

Shapes: T times at which the person was seen, E numbers of an embedding.
"""

from dataclasses import dataclass, field

import numpy as np

from deepcity.city.arrays import Doubles


@dataclass(frozen=True)
class Track:
    """A person in one camera's view, from first seen to last.

    Attributes:
        camera: the camera's id.
        number: the track's number, unique at its camera.
        time_s_T: UTC seconds, increasing, at least one.
        box_T4: left, top, right and bottom in pixels of the camera's picture.
        embedding_E: of unit length; comparable only with those of the same network. Empty where
            none was made.
        ground_T2: metres east and north of the site's origin, NaN where unknown. Empty where the
            camera is not calibrated.

    Raises:
        ValueError: if shapes disagree, times do not increase, or a value that must be finite
            is not.
    """

    camera: str
    number: int
    time_s_T: Doubles
    box_T4: Doubles
    embedding_E: Doubles = field(default_factory=lambda: np.zeros(0))
    ground_T2: Doubles = field(default_factory=lambda: np.zeros((0, 2)))

    def __post_init__(self) -> None:
        if problems := self._problems():
            raise ValueError(f"track {self.number} of camera {self.camera}: {'; '.join(problems)}")

    @property
    def first_s(self) -> float:
        """UTC seconds at which the person was first seen."""
        return float(self.time_s_T[0])

    @property
    def last_s(self) -> float:
        """UTC seconds at which the person was last seen."""
        return float(self.time_s_T[-1])

    def _problems(self) -> list[str]:
        times = len(self.time_s_T)
        problems = []
        if self.time_s_T.shape != (times,) or not times:
            problems.append(f"times of shape {self.time_s_T.shape}; give at least one in a row")
        if self.box_T4.shape != (times, 4):
            problems.append(f"boxes of shape {self.box_T4.shape} for {times} times")
        if len(self.ground_T2) and self.ground_T2.shape != (times, 2):
            problems.append(f"ground positions of shape {self.ground_T2.shape} for {times} times")
        if not (np.isfinite(self.time_s_T).all() and np.isfinite(self.box_T4).all()):
            problems.append("times and boxes must be finite")
        elif times and (np.diff(self.time_s_T) <= 0).any():
            problems.append("times must increase")
        if self.embedding_E.ndim != 1 or not np.isfinite(self.embedding_E).all():
            problems.append("an embedding must be one row of finite numbers")
        return problems
