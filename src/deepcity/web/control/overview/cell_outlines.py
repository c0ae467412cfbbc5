"""Outlines of places that are cells of a grid, for the map."""

from collections.abc import Sequence

from deepcity.city.place import Place
from deepcity.data.config.grid_settings import GridSettings
from deepcity.data.places.cells import cell_outline

MOST_OUTLINES = 20_000
"""Cells of one party that are sent with outlines: more are dots, as all other places are."""
_DIGITS = 5  # of degrees: a metre


def cell_outlines(
    grid: GridSettings | None, places: Sequence[Place]
) -> list[list[float] | None] | None:
    """Of each place the longitudes and latitudes of its corners, one after the other.

    Returns:
        None where places are no cells, or too many; None for a place that is none.
    """
    if grid is None or len(places) > MOST_OUTLINES:
        return None
    return [_flat(cell_outline(grid, place)) for place in places]


def _flat(corners: Sequence[tuple[float, float]] | None) -> list[float] | None:
    if corners is None:
        return None
    return [round(value, _DIGITS) for lat, lon in corners for value in (lon, lat)]
