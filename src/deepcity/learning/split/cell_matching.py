"""Which cells of an agency each place of an application uses.

Cells are H3 cells where positions are known (city/place.py), so the distance between two is
known without any name. A place uses the agency's same cell; else its nearest one, however far
(`distant_places` finds those too far away); where its own or the agency's position is unknown,
the mean of all of them.

Shapes: N places, C cells.
"""

from collections.abc import Sequence

import h3
import numpy as np

from deepcity.city.arrays import Doubles, Floats, Ints

MAX_DISTANCE_KM = 300.0
"""No cell of a city serves a place farther away: some position is wrong."""


def match_cells(place_cells: Sequence[int], cell_C: Ints) -> Floats:
    """(N, C) weights, each row with sum 1.

    Args:
        place_cells: the application's places, numbered by
            `deepcity.learning.features.agency_columns.cell_number`.

    Raises:
        ValueError: if the agency has no cell.

    >>> match_cells([7, 8], np.array([7, 9])).tolist()
    [[1.0, 0.0], [0.5, 0.5]]
    """
    if not len(cell_C):
        raise ValueError("an agency without cells serves no place; give its panel places")
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


def distant_places(place_cells: Sequence[int], cell_C: Ints) -> dict[int, float]:
    """Places too far from all cells of an agency to use them, and how far, in km.

    Only where all positions are known; distances are from centre to centre of H3 cells.

    Returns:
        index of a place -> km to its nearest cell, where that is over `MAX_DISTANCE_KM`.
    """
    centres = _centres(cell_C) if len(cell_C) else None
    if centres is None:
        return {}
    nearest_km = {
        row: float(_distances_km(cell, centres).min())
        for row, cell in enumerate(place_cells)
        if _is_h3(cell)
    }
    return {row: km for row, km in nearest_km.items() if km > MAX_DISTANCE_KM}


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
    return np.array([h3.great_circle_distance(here, other, unit="km") for other in centres])
