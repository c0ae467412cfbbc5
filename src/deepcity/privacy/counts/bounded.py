"""Counts of units in which each one is counted at most so often, whatever its rows are.

A unit counts once in a cell, however many rows it has there, and in `most` cells. Which cells
these are follows from its own rows and a secret alone: one unit more or less changes nothing of
what others are counted for.

Shapes: R rows, K cells.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Bools, Ints

Digests = NDArray[np.uint64]
Rows = NDArray[np.void]
_STEP = np.uint64(0x9E3779B97F4A7C15)
_FACTORS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def bounded_counts(rows_R: Rows, cells: int, most: int, secret: int) -> Ints:
    """How many units are counted in each cell, (K,).

    Args:
        rows_R: fields `unit` and `more`, the 128 bits of a unit's digest, and `cell`; in any order.
            All rows of a unit must be among them.
        most: cells of a unit.
        secret: of 64 bits; by it a unit's cells are chosen.
    """
    unit_R, more_R, cell_R = rows_R["unit"], rows_R["more"], rows_R["cell"]
    rank_R = _mixed(unit_R ^ _mixed(cell_R.astype(np.uint64) + np.uint64(secret)))
    order = np.lexsort((rank_R, more_R, unit_R))  # a unit's rows of one cell have one rank
    unit_R, more_R, cell_R = unit_R[order], more_R[order], cell_R[order]
    begins_R = _changes(unit_R) | _changes(more_R)
    first_R = begins_R | _changes(cell_R)
    begins_R, cell_R = begins_R[first_R], cell_R[first_R]
    starts = np.flatnonzero(begins_R)
    within_R = np.arange(len(cell_R)) - starts[np.cumsum(begins_R) - 1]
    return np.bincount(cell_R[within_R < most], minlength=cells).astype(np.int64)


def _changes(value_R: NDArray[Any]) -> Bools:
    """Whether a value differs from the one before it; the first one does."""
    found = np.ones(len(value_R), bool)
    found[1:] = value_R[1:] != value_R[:-1]
    return found


def _mixed(value_R: Digests) -> Digests:
    """SplitMix64 (Steele, Lea & Flood 2014): 64 bits that look drawn at random, one to one."""
    value_R = value_R + _STEP
    for factor, shift in zip(_FACTORS, (30, 27), strict=True):
        value_R = (value_R ^ (value_R >> np.uint64(shift))) * factor
    return value_R ^ (value_R >> np.uint64(31))
