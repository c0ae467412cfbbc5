"""What may be drawn in an incident: GeoJSON (RFC 7946) that every map can show.

One drawing that a page's map cannot read would hide all others of its incident.
"""

from collections.abc import Iterator

_DEPTHS = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}
"""How deep lists of positions are nested in the coordinates of a geometry."""
_LEAST = {"LineString": 2, "MultiLineString": 2, "Polygon": 4, "MultiPolygon": 4}
_MOST_LON, _MOST_LAT = 180.0, 90.0
RIGHT = "send GeoJSON: a geometry, a Feature, or a FeatureCollection"


def check_drawing(found: object) -> None:
    """Check one object of GeoJSON.

    Raises:
        ValueError: with the first thing that no map can show.
    """
    kind = found.get("type") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(kind, str):
        raise ValueError(f"no object with a type: {RIGHT}")
    if kind == "FeatureCollection":
        for one in _parts(found, "features"):
            if not isinstance(one, dict) or one.get("type") != "Feature":
                raise ValueError(f"a FeatureCollection of other things than Features: {RIGHT}")
            check_drawing(one)
    elif kind == "Feature":
        if not isinstance(found.get("properties") or {}, dict):
            raise ValueError("a Feature whose properties are no object: send {} for none")
        _check_geometry(found.get("geometry"))
    else:
        _check_geometry(found)


def _check_geometry(found: object) -> None:
    kind = found.get("type") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(kind, str):
        raise ValueError(f"no geometry with a type: {RIGHT}")
    if kind == "GeometryCollection":
        for one in _parts(found, "geometries"):
            _check_geometry(one)
        return
    if kind not in _DEPTHS:
        raise ValueError(f"a type {kind[:40]!r}, which no geometry has: {RIGHT}")
    for line in _lines(found.get("coordinates"), _DEPTHS[kind]):
        if len(line) < _LEAST.get(kind, 1):
            raise ValueError(f"a {kind} of {len(line)} positions: {_LEAST.get(kind, 1)} at least")
        for position in line:
            _check_position(position)


def _parts(found: dict[str, object], name: str) -> list[object]:
    parts = found.get(name)
    if not isinstance(parts, list):
        raise ValueError(f"{name} that are no list: {RIGHT}")
    return parts


def _lines(found: object, depth: int) -> Iterator[list[object]]:
    """Every list of positions in coordinates; that of a point is its only one."""
    if depth == 0:
        yield [found]
    elif not isinstance(found, list) or not found:
        raise ValueError(f"coordinates that are no list, or an empty one: {RIGHT}")
    elif depth == 1:
        yield found
    else:
        for one in found:
            yield from _lines(one, depth - 1)


def _check_position(found: object) -> None:
    numbers = found if isinstance(found, list) else []
    if len(numbers) not in (2, 3) or any(
        isinstance(one, bool) or not isinstance(one, int | float) for one in numbers
    ):
        raise ValueError("a position that is not [longitude, latitude]: send numbers in degrees")
    if abs(numbers[0]) > _MOST_LON or abs(numbers[1]) > _MOST_LAT:
        raise ValueError(
            f"a position at longitude {numbers[0]:g}, latitude {numbers[1]:g}: send degrees, "
            f"longitude first"
        )
