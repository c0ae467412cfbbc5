"""The settings of a grid: cells as places, by their size and the box they cover."""

import math
import re
from typing import Annotated

from pydantic import Field, model_validator

from deepcity.data.config.toml_file import Settings, wrong

KM_PER_DEGREE = 111.195  # of a meridian, on a sphere of 6,371 km
MOST_CELLS = 100_000
_LENGTHS = {"m": 0.001, "km": 1.0}
Degrees = Annotated[float, Field(gt=0, le=10)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]


class GridSettings(Settings):
    """Grid cells used as places; exactly one of `cell`, `cell_deg` and `h3`.

    Attributes:
        cell: side of a square cell, e.g. ``500m`` or ``3km``, at the box's middle latitude.
        cell_deg: height and width of a cell in degrees of latitude and longitude.
        h3: resolution of H3 cells, 0 to 15 (8: about 1 km across, 9: 350 m).
        box: south, west, north and east edge. Rows of cells count from the south, columns from
            the west. Optional with `h3`: then every cell that holds an event is a place.
    """

    cell: str | None = None
    cell_deg: tuple[Degrees, Degrees] | None = None
    h3: Annotated[int, Field(ge=0, le=15)] | None = None
    box: tuple[Latitude, Longitude, Latitude, Longitude] | None = None

    @model_validator(mode="after")
    def _one_size(self) -> "GridSettings":
        if sum(size is not None for size in (self.cell, self.cell_deg, self.h3)) != 1:
            right = "give exactly one of cell, cell_deg and h3"
            raise wrong("a grid needs one cell size", right)
        if self.cell is not None and _length_km(self.cell) is None:
            raise wrong("not a length", "write a number and m or km, e.g. 500m or 3km", "cell")
        if self.box is None and self.h3 is None:
            right = "write box = [south, west, north, east]"
            raise wrong("missing: it sets the area of the grid", right, "box")
        if self.box is not None:
            self._check_box(self.box)
        return self

    def _check_box(self, box: tuple[float, float, float, float]) -> None:
        if box[0] >= box[2] or box[1] >= box[3]:
            reason = "south must be less than north, and west less than east"
            raise wrong(reason, "write box = [south, west, north, east]", "box")
        if self.h3 is None and self.shape[0] * self.shape[1] > MOST_CELLS:
            reason = f"{self.shape[0]:,} x {self.shape[1]:,} cells are too many"
            raise wrong(reason, f"choose larger cells: at most {MOST_CELLS:,} are allowed")

    @property
    def size_deg(self) -> tuple[float, float]:
        """Height and width of a square cell, in degrees."""
        if self.cell_deg is not None:
            return self.cell_deg
        assert self.box is not None
        assert self.cell is not None
        high = (_length_km(self.cell) or 0.0) / KM_PER_DEGREE
        return high, high / math.cos(math.radians((self.box[0] + self.box[2]) / 2))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of square cells that cover the box."""
        assert self.box is not None
        south, west, north, east = self.box
        high, wide = self.size_deg
        return math.ceil((north - south) / high - 1e-9), math.ceil((east - west) / wide - 1e-9)


def _length_km(text: str) -> float | None:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(m|km)\s*", text)
    length = float(found[1]) * _LENGTHS[found[2]] if found else 0.0
    return length or None
