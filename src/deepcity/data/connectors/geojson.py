"""GeoJSON: features as rows, their properties as columns, with `id`, `lat` and `lon` of each.

For places as well as for records. The position of a line or an area is the middle of its box.
"""

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from deepcity.data.connectors.json import RecordConnector
from deepcity.data.connectors.json_records import Row, flat, iterate
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


def _features(path: Path, _records: str | None, max_bytes: int) -> Iterator[Row]:
    return (_cells(feature) for feature in iterate(path, "features.item", max_bytes))


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


CONNECTOR = RecordConnector("geojson", (".geojson", ".geojson.gz"), GeoJsonSettings, _features)
