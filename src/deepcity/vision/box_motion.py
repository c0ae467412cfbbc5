"""Where a box will be next: a Kalman filter of constant speed.

Each of a box's four numbers (middle x and y, width, height) moves on its own, so its covariance is
of two by two and no matrix is inverted. Noise grows with the box's height, as in DeepSORT (Wojke et
al. 2017), but by seconds instead of frames: frames may be left out.
"""

import numpy as np

from deepcity.city.arrays import Doubles

_SEEN_NOISE = 0.05
"""How far a detector's box is off, in heights of the person."""
_PUSH_NOISE = 1.0
"""How much a person speeds up or brakes, in heights per second squared."""
_START_SPEED = 1.0
"""How fast a person first seen may be, in heights per second."""


class BoxMotion:
    """The place and speed of one box.

    Args:
        time_s: UTC seconds at which it was first seen.
        box_4: left, top, right, bottom in pixels.
    """

    def __init__(self, time_s: float, box_4: Doubles) -> None:
        self._time_s = time_s
        self._place_4 = _middle_and_size(box_4)
        self._speed_4 = np.zeros(4)
        height = float(self._place_4[3])
        self._place_var = (_SEEN_NOISE * height) ** 2
        self._both_var = 0.0
        self._speed_var = (_START_SPEED * height) ** 2

    def move_to(self, time_s: float) -> Doubles:
        """(4,) the box expected at a later time: left, top, right, bottom."""
        step_s = time_s - self._time_s
        push = (_PUSH_NOISE * float(self._place_4[3])) ** 2
        self._place_4 = self._place_4 + step_s * self._speed_4
        self._place_4[2:] = np.maximum(self._place_4[2:], 1.0)
        self._place_var += step_s * (2 * self._both_var + step_s * self._speed_var)
        self._place_var += push * step_s**4 / 4
        self._both_var += step_s * self._speed_var + push * step_s**3 / 2
        self._speed_var += push * step_s**2
        self._time_s = time_s
        return _corners(self._place_4)

    def see(self, box_4: Doubles) -> None:
        """Correct place and speed by the box that was found at the time last moved to."""
        off_4 = _middle_and_size(box_4) - self._place_4
        seen_var = (_SEEN_NOISE * float(box_4[3] - box_4[1])) ** 2
        place_gain = self._place_var / (self._place_var + seen_var)
        speed_gain = self._both_var / (self._place_var + seen_var)
        self._place_4 = self._place_4 + place_gain * off_4
        self._speed_4 = self._speed_4 + speed_gain * off_4
        self._speed_var -= speed_gain * self._both_var
        self._both_var *= 1 - place_gain
        self._place_var *= 1 - place_gain


def _middle_and_size(box_4: Doubles) -> Doubles:
    left, top, right, bottom = box_4
    return np.array([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top])


def _corners(place_4: Doubles) -> Doubles:
    x, y, width, height = place_4
    return np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
