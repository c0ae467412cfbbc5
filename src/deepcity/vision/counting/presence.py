"""How many were in view, and for how long.

Shapes: C times.
"""

from collections.abc import Iterable

import numpy as np

from deepcity.city.arrays import Doubles, Ints
from deepcity.vision.counting.time_bins import CountTimes
from deepcity.vision.track import Track


def persons_in_view(tracks: Iterable[Track], times: CountTimes) -> Ints:
    """(C,) tracks that were seen in each time; each counts once in a time, however often seen.

    Somebody who leaves the view and comes back is a new track, and counts again.
    """
    found_C = np.zeros(times.count, np.int64)
    for track in tracks:
        number_T = times.of(track.time_s_T)
        found_C[np.unique(number_T[number_T >= 0])] += 1
    return found_C


def dwell_seconds(tracks: Iterable[Track], times: CountTimes, k: int) -> Doubles:
    """(C,) median seconds in view of tracks that began in each time; NaN where fewer than k did."""
    stays: list[list[float]] = [[] for _ in range(times.count)]
    for track in tracks:
        number = int(times.of(track.time_s_T[:1])[0])
        if number >= 0:
            stays[number].append(track.last_s - track.first_s)
    return np.array([np.median(some) if len(some) >= max(1, k) else np.nan for some in stays])


def withheld(count_C: Ints, k: int) -> Doubles:
    """Counts of k or more, and NaN for those under it, zero too.

    It bounds nothing by itself: what leaves the agency takes noise first (`deepcity counts`).
    """
    return np.where(count_C >= max(1, k), count_C, np.nan).astype(np.float64)
