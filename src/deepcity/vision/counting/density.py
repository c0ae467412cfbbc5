"""How crowded the ground is: persons a square metre, by cells of a grid and by time.

Shapes: C times, Y rows of cells from south to north, X cells from west to east.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles
from deepcity.vision.counting.time_bins import CountTimes
from deepcity.vision.track import Track

MOST_CELLS = 10_000_000
"""Of a grid, and of all times together: 80 MB."""
MOST_UNSEEN_S = 2.0
"""Whoever is hidden for longer may have moved on."""


@dataclass(frozen=True)
class GroundCells:
    """A grid on the ground.

    Attributes:
        west, south: metres of its corner.
        metres: length of a cell's side.
        columns, rows: cells from west to east, and from south to north.

    Raises:
        ValueError: if it has no cell, or too many.
    """

    west: float
    south: float
    metres: float
    columns: int
    rows: int

    def __post_init__(self) -> None:
        if not (np.isfinite([self.west, self.south, self.metres]).all() and self.metres > 0):
            raise ValueError(f"cells of {self.metres} m from {self.west}, {self.south}: not a grid")
        if not 1 <= self.columns * self.rows <= MOST_CELLS or min(self.columns, self.rows) < 1:
            raise ValueError(f"{self.columns} x {self.rows} cells are not 1 to {MOST_CELLS:,}")


def crowd_density(tracks: Iterable[Track], cells: GroundCells, times: CountTimes) -> Doubles:
    """(C, Y, X) persons a square metre, on average over each time.

    A track is where it was last seen until it is seen again, for two seconds at most, so a frame
    that was skipped takes nobody away; after its last frame it is gone. Unknown positions count
    nowhere.

    Raises:
        ValueError: if cells and times together are too many.
    """
    wanted = times.count * cells.rows * cells.columns
    if wanted > MOST_CELLS:
        raise ValueError(f"{wanted:,} cells of all times; {MOST_CELLS:,} at most: take fewer times")
    second_CYX = np.zeros((times.count, cells.rows, cells.columns))
    for track in tracks:
        if len(track.ground_T2) and len(track.time_s_T) > 1:
            _add_seconds(second_CYX, track, cells, times)
    return second_CYX / (times.every_s * cells.metres**2)


def _add_seconds(second_CYX: Doubles, track: Track, cells: GroundCells, times: CountTimes) -> None:
    """What a track adds: seconds in each cell and time, split where a new time begins."""
    edge_s = times.first_s + times.every_s * np.arange(times.count + 1)
    inner_s = edge_s[(edge_s > track.first_s) & (edge_s < track.last_s)]
    begin_S = np.union1d(track.time_s_T, inner_s)
    end_S, begin_S = begin_S[1:], begin_S[:-1]
    place_S = np.searchsorted(track.time_s_T, begin_S, side="right") - 1
    gone_S = track.time_s_T[place_S] + MOST_UNSEEN_S
    lasted_S = np.maximum(0.0, np.minimum(end_S, gone_S) - begin_S)
    offset_S2 = (track.ground_T2[place_S] - (cells.west, cells.south)) / cells.metres
    number_S = times.of(begin_S)
    with np.errstate(invalid="ignore"):
        inside_S = ((offset_S2 >= 0) & (offset_S2 < (cells.columns, cells.rows))).all(axis=1)
    kept_S = inside_S & (number_S >= 0)
    column_K, row_K = offset_S2[kept_S].astype(np.int64).T
    np.add.at(second_CYX, (number_S[kept_S], row_K, column_K), lasted_S[kept_S])
