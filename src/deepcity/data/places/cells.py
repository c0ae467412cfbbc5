"""A grid over a city: H3 cells, or cells sized in metres or degrees, used as places.

Shapes: R rows.
"""

from collections.abc import Sequence

import numpy as np

from deepcity.city.arrays import Doubles, Ints
from deepcity.city.place import Place
from deepcity.data.config.grid_settings import GridSettings


def cells_in_box(grid: GridSettings) -> list[Place]:
    """Every cell of the box, row by row from the south-west; empty without a box."""
    if grid.box is None:
        return []
    south, west, north, east = grid.box
    if grid.h3 is not None:
        import h3

        corners = [(south, west), (south, east), (north, east), (north, west)]
        cells = h3.h3shape_to_cells_experimental(h3.LatLngPoly(corners), grid.h3, "overlap")
        return [_h3_place(cell) for cell in sorted(cells)]
    (rows, columns), (high, wide) = grid.shape, grid.size_deg
    return [
        Place(_square_id(row, column), south + (row + 0.5) * high, west + (column + 0.5) * wide)
        for row in range(rows)
        for column in range(columns)
    ]


def _square_id(row: int, column: int) -> str:
    return f"r{row:02d}c{column:02d}"


def _h3_place(cell: str) -> Place:
    import h3

    lat, lon = h3.cell_to_latlng(cell)
    return Place(cell, lat, lon)


def h3_cells(grid: GridSettings, lat_R: Doubles, lon_R: Doubles) -> list[str]:
    """The H3 cell of each position; finite positions only."""
    import h3

    assert grid.h3 is not None
    points, where = np.unique(np.stack([lat_R, lon_R], axis=1), axis=0, return_inverse=True)
    cells = [h3.latlng_to_cell(lat, lon, grid.h3) for lat, lon in points.tolist()]
    return [cells[n] for n in where.ravel().tolist()]


def h3_places(cells: Sequence[str]) -> list[Place]:
    """H3 cells as places."""
    return [_h3_place(cell) for cell in cells]


def cell_outline(grid: GridSettings, place: Place) -> list[tuple[float, float]] | None:
    """The corners of a cell as latitude and longitude, in order around it; None: it is no cell.

    Longitudes may pass 180, where a cell lies across it; latitudes end at the poles.
    """
    if place.lat is None or place.lon is None:
        return None
    if grid.h3 is not None:
        import h3

        try:
            if not h3.is_valid_cell(place.id):
                return None
        except OverflowError:  # it reads an id as a number: "-1", or forty digits
            return None
        corners = h3.cell_to_boundary(place.id)
        return [(lat, place.lon + _half_turn(lon - place.lon)) for lat, lon in corners]
    high, wide = grid.size_deg
    return [
        (min(max(place.lat + north * high / 2, -90.0), 90.0), place.lon + east * wide / 2)
        for north, east in ((-1, -1), (-1, 1), (1, 1), (1, -1))
    ]


def _half_turn(degrees: float) -> float:
    """The same angle, from -180 to 180."""
    return (degrees + 180) % 360 - 180


def cell_numbers(
    grid: GridSettings, number: dict[str, int], lat_R: Doubles, lon_R: Doubles
) -> Ints:
    """Number of the place each position lies in, shape (R,); -1 outside or where NaN.

    Args:
        grid: the cells.
        number: a place's id -> its number.
        lat_R, lon_R: degrees.
    """
    place_R = np.full(len(lat_R), -1, dtype=np.int64)
    known = np.isfinite(lat_R) & np.isfinite(lon_R)
    known &= (np.abs(lat_R) <= 90) & (np.abs(lon_R) <= 180)
    if grid.h3 is not None:
        cells = h3_cells(grid, lat_R[known], lon_R[known])
        place_R[known] = [number.get(cell, -1) for cell in cells]
        return place_R
    assert grid.box is not None
    south, west, north, east = grid.box
    known &= (lat_R >= south) & (lat_R <= north) & (lon_R >= west) & (lon_R <= east)
    (rows, columns), (high, wide) = grid.shape, grid.size_deg
    row_R = np.minimum((lat_R[known] - south) // high, rows - 1).astype(np.int64)
    column_R = np.minimum((lon_R[known] - west) // wide, columns - 1).astype(np.int64)
    place_R[known] = row_R * columns + column_R
    return place_R
