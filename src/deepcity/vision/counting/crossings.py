"""How many crossed a line on the ground, in which direction.

Shapes: C times, T times of a track.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles, Ints
from deepcity.vision.counting.time_bins import CountTimes
from deepcity.vision.track import Track

_ON_LINE_M = 0.1
"""Who stands on the line sways over it; a side counts from this far away."""


@dataclass(frozen=True)
class CountLine:
    """A line on the ground from one point to another, metres east and north.

    Raises:
        ValueError: if it has no length, or a coordinate is not finite.
    """

    start: tuple[float, float]
    end: tuple[float, float]

    def __post_init__(self) -> None:
        if not np.isfinite([*self.start, *self.end]).all() or self.start == self.end:
            raise ValueError(f"a line from {self.start} to {self.end}: give two different points")

    def sides(self, ground_T2: Doubles) -> Doubles:
        """(T,) metres to the left of the line's direction, negative to its right."""
        along_2 = np.subtract(self.end, self.start)
        off_T2 = ground_T2 - np.asarray(self.start)
        across_T = along_2[0] * off_T2[:, 1] - along_2[1] * off_T2[:, 0]
        return np.asarray(across_T / np.linalg.norm(along_2))

    def along(self, ground_T2: Doubles) -> Doubles:
        """(T,) how far along the line, 0 at its start and 1 at its end."""
        along_2 = np.subtract(self.end, self.start)
        return np.asarray((ground_T2 - np.asarray(self.start)) @ along_2 / (along_2 @ along_2))


def crossings(tracks: Iterable[Track], line: CountLine, times: CountTimes) -> tuple[Ints, Ints]:
    """((C,), (C,)) tracks that crossed to the left of the line, and to the right.

    A track counts once, at its last crossing, if it ends on the other side than it began: who
    turns around counts not at all. Tracks without ground positions are left out.
    """
    left_C, right_C = np.zeros(times.count, np.int64), np.zeros(times.count, np.int64)
    for track in tracks:
        found = _crossing(track, line)
        if found is None:
            continue
        at_s, leftward = found
        number = int(times.of(np.array([at_s]))[0])
        if number >= 0:
            (left_C if leftward else right_C)[number] += 1
    return left_C, right_C


def _crossing(track: Track, line: CountLine) -> tuple[float, bool] | None:
    """When a track crossed for good, and whether to the left; None: it did not."""
    if not len(track.ground_T2):
        return None
    side_T = line.sides(track.ground_T2)
    clear_U = np.flatnonzero(np.abs(side_T) >= _ON_LINE_M)  # NaN is not
    if not len(clear_U):
        return None
    left_U = side_T[clear_U] > 0
    if left_U[0] == left_U[-1]:
        return None
    last = int(np.flatnonzero(left_U != left_U[-1])[-1])
    before, after = clear_U[last], clear_U[last + 1]
    share = side_T[before] / (side_T[before] - side_T[after])
    point_2 = track.ground_T2[before] + share * (track.ground_T2[after] - track.ground_T2[before])
    if not 0 <= line.along(point_2[None])[0] <= 1:
        return None  # beside the line's ends
    at_s = track.time_s_T[before] + share * (track.time_s_T[after] - track.time_s_T[before])
    return float(at_s), bool(left_U[-1])
