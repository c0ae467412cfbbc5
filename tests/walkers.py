"""Tracks of people who walk straight."""

import numpy as np

from deepcity.vision.track import Track


def walker(number, start, end, first_s=0.0, seconds=10.0, frames=11, camera="gate"):
    """From one point to another in metres, seen at so many frames."""
    share_T = np.linspace(0, 1, frames)
    ground_T2 = np.outer(1 - share_T, start) + np.outer(share_T, end)
    box_T4 = np.tile([0.0, 0, 10, 20], (frames, 1))
    return Track(camera, number, first_s + seconds * share_T, box_T4, ground_T2=ground_T2)
