"""GeoJSON: features as rows, their properties as columns, with `id`, `lat` and `lon` of each.

For places as well as for records. The position of a line or an area is the middle of its box.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from deepcity.data.connectors import RawTable
from deepcity.data.connectors.json import batches_of_rows
from deepcity.data.connectors.json_records import Row, columns_of, flat, frame_of, iterate
from deepcity.data.connectors.location import locate
from deepcity.data.connectors.many_files import FileSettings


class GeoJsonSettings(FileSettings):
    """Keys of a GeoJSON source.

    Attributes:
        max_record_mb: size of the largest feature that is read.
    """

    format: Literal["geojson"] = "geojson"
    max_record_mb: float = Field(default=32, gt=0)

    @property
    def row_noun(self) -> str:
        """What a row of the table is in the file."""
        return "feature"


class GeoJsonConnector:
    """Reads the features of a collection, a batch at a time."""

    name = "geojson"
    suffixes = (".geojson", ".geojson.gz")
    settings = GeoJsonSettings

    def check(self, source: GeoJsonSettings, folder: Path) -> None:
        """Check that the file exists."""
        locate(source.path, folder)

    def read(self, source: GeoJsonSettings, folder: Path) -> RawTable:
        """All features, numbered from 1."""
        return RawTable(frame_of(list(_rows(source, folder)), self.columns(source, folder)), 1)

    def batches(
        self, source: GeoJsonSettings, folder: Path, columns: Sequence[str]
    ) -> Iterator[RawTable]:
        """The given columns, in batches of features."""
        yield from batches_of_rows(_rows(source, folder), columns)

    def columns(self, source: GeoJsonSettings, folder: Path) -> list[str]:
        """Names of the columns: the properties of all features, and id, lat and lon."""
        return columns_of(_rows(source, folder), locate(source.path, folder))


def _rows(source: GeoJsonSettings, folder: Path) -> Iterator[Row]:
    path = locate(source.path, folder)
    features = iterate(path, "features.item", round(source.max_record_mb * 1e6))
    return (_cells(feature) for feature in features)


def _cells(feature: Mapping[str, Any]) -> Row:
    """A feature's cells; a property keeps its name unless `id`, `lat` or `lon` is taken."""
    lat, lon = _middle(feature.get("geometry"))
    own: dict[str, Any] = {"id": feature.get("id"), "lat": lat, "lon": lon}
    properties = feature.get("properties")
    cells = flat(properties) if isinstance(properties, dict) else {}
    taken = {name for name, value in own.items() if value is not None}
    renamed = {f"properties.{k}" if k in taken else k: value for k, value in cells.items()}
    return {**flat({name: value for name, value in own.items() if name not in renamed}), **renamed}


def _middle(geometry: object) -> tuple[float | None, float | None]:
    """Latitude and longitude of the middle of a geometry's box; None without positions."""
    low, high = [math.inf, math.inf], [-math.inf, -math.inf]
    left: list[Any] = [geometry]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left += [one.get("coordinates"), one.get("geometries")]
        elif isinstance(one, list) and len(one) >= 2 and _is_position(one):
            one = [float(x) for x in one[:2]]
            low = [min(a, b) for a, b in zip(low, one, strict=False)]
            high = [max(a, b) for a, b in zip(high, one, strict=False)]
        elif isinstance(one, list):
            left += one
    if low[0] > high[0]:
        return None, None
    return round((low[1] + high[1]) / 2, 9), round((low[0] + high[0]) / 2, 9)


def _is_position(one: list[Any]) -> bool:
    return all(isinstance(x, int | float | Decimal) and not isinstance(x, bool) for x in one[:2])


CONNECTOR = GeoJsonConnector()
