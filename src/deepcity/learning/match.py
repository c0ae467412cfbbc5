"""Which cells of an agency speak for which places of an application.

Cells are H3 cells where positions are known (city/place.py), so the distance between two is
known without any name. A place listens to the agency's same cell; else to its nearest one,
however far (`too_far` tells which of them no agency of the city can speak for);
where its own or the agency's position is unknown, to all of them alike.

Shapes: N places, C cells.
"""

from collections.abc import Sequence

import h3
import numpy as np

from deepcity.city.arrays import Doubles, Floats, Ints

FARTHEST_KM = 300.0
"""No agency of a city speaks for a place farther away: some position is wrong."""


def match(place_cells: Sequence[int], cell_C: Ints) -> Floats:
    """(N, C) weights, each row with sum 1.

    Args:
        place_cells: the application's places as `deepcity.learning.columns.cell_number` says.

    Raises:
        ValueError: if the agency has no cell.

    >>> match([7, 8], np.array([7, 9])).tolist()
    [[1.0, 0.0], [0.5, 0.5]]
    """
    if not len(cell_C):
        msg = "an agency without cells can speak for no place"
        raise ValueError(msg)
    where = {int(cell): index for index, cell in enumerate(cell_C)}
    centres = _centres(cell_C)
    found = np.full((len(place_cells), len(cell_C)), 1.0 / len(cell_C), np.float32)
    for row, cell in enumerate(place_cells):
        index = where.get(cell)
        if index is None and centres is not None and _is_h3(cell):
            index = int(np.argmin(_distances_km(cell, centres)))
        if index is not None:
            found[row] = 0
            found[row, index] = 1
    return found


def too_far(place_cells: Sequence[int], cell_C: Ints) -> dict[int, float]:
    """Places that are too far from all of an agency's cells to be spoken for, and how far, in km.

    Only where all positions are known; distances are from centre to centre of H3 cells.

    Returns:
        index of a place -> km to its nearest cell, where that is over FARTHEST_KM.
    """
    centres = _centres(cell_C) if len(cell_C) else None
    if centres is None:
        return {}
    near = {
        row: float(_distances_km(cell, centres).min())
        for row, cell in enumerate(place_cells)
        if _is_h3(cell)
    }
    return {row: km for row, km in near.items() if km > FARTHEST_KM}


def _is_h3(cell: int) -> bool:
    return bool(h3.is_valid_cell(h3.int_to_str(cell)))


def _centres(cell_C: Ints) -> list[tuple[float, float]] | None:
    """Latitude and longitude of each cell, in degrees; None if one has no position."""
    if not all(_is_h3(int(cell)) for cell in cell_C):
        return None
    return [h3.cell_to_latlng(h3.int_to_str(int(cell))) for cell in cell_C]


def _distances_km(cell: int, centres: Sequence[tuple[float, float]]) -> Doubles:
    """Great-circle distance of a cell to each centre, (C,)."""
    here = h3.cell_to_latlng(h3.int_to_str(cell))
    return np.array([h3.great_circle_distance(here, there, unit="km") for there in centres])
