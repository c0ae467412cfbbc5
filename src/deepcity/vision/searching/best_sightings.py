"""The best of many tracks, without sorting them all.

Shapes: R tracks.
"""

from collections.abc import Iterable

import numpy as np

from deepcity.city.arrays import Doubles, Floats, Indices
from deepcity.vision.searching.sighting import Sighting
from deepcity.vision.track_store.track_rows import TrackRows


def ranked(sightings: Iterable[Sighting], count: int) -> list[Sighting]:
    """The best of them, best first; equal scores by time, then camera."""
    return sorted(sightings, key=lambda one: (-one.score, one.time_s, one.camera))[:count]


def best_sightings(
    rows: TrackRows, row_N: Indices, score_N: Doubles | Floats, count: int
) -> list[Sighting]:
    """The best of some rows, as `ranked` gives them.

    Args:
        score_N: of the rows `row_N`.
    """
    if len(row_N) > count:
        least = np.partition(score_N, len(score_N) - count)[-count]
        good_N = score_N >= least  # all that are as good as the last: the time decides
        row_N, score_N = row_N[good_N], score_N[good_N]
    time_s_N = (rows.first_s_R[row_N] + rows.last_s_R[row_N]) / 2
    camera_N = rows.camera_R[row_N]  # cameras are sorted: numbers order as ids
    order = np.lexsort((camera_N, time_s_N, -score_N))[:count]
    return [
        Sighting(float(score_N[one]), float(time_s_N[one]), rows.cameras[camera_N[one]])
        for one in order
    ]
