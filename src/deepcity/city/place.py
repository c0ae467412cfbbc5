"""A place: a sensor, district, station or road piece that has values of its own."""

from dataclasses import dataclass

import h3

H3_RESOLUTION = 9  # cells about 350 m across: a street corner, not a household


@dataclass(frozen=True)
class Place:
    """Where a value was measured.

    Attributes:
        id: unique within its agency.
        lat, lon: in degrees (WGS 84), or None where unknown.
        capacity: how much it can hold, in the unit of its counts, or None.

    >>> Place("counter-1", -36.845, 174.766).cell
    '89bb5000577ffff'
    """

    id: str
    lat: float | None = None
    lon: float | None = None
    capacity: float | None = None

    @property
    def cell(self) -> str | None:
        """The H3 cell it lies in, or None where its position is unknown."""
        if self.lat is None or self.lon is None:
            return None
        return str(h3.latlng_to_cell(self.lat, self.lon, H3_RESOLUTION))
