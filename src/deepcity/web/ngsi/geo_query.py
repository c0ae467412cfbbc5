"""Geo-queries of NGSI-LD (4.10): how a point lies to a geometry. Our entities are points.

Distances are great-circle distances on a sphere of 6,371,008.8 m; polygons are flat in degrees,
by the even-odd rule.
"""

import json
import math
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from deepcity.web.ngsi.entity import Entity
from deepcity.web.ngsi.problems import bad

Point = tuple[float, float]
"""Longitude and latitude, degrees."""
MOST_SIGNS, MOST_POINTS = 20_000, 2_000
_RADIUS_M = 6_371_008.8
_NEAR = re.compile(r"near;(max|min)Distance==(\d{1,12}(?:\.\d{1,6})?)")
_DEPTH = {"Point": 0, "MultiPoint": 1, "LineString": 1, "Polygon": 2, "MultiPolygon": 3}
_RELATIONS = ("near;maxDistance==M", "within", "intersects", "equals", "disjoint")


def geo_query(
    georel: str, geometry: str, coordinates: str, geoproperty: str = "location"
) -> Callable[[Entity], bool]:
    """Whether an entity lies as asked; one without a position does not.

    Raises:
        NgsiError: with the parameter that cannot be read.
    """
    if geometry not in _DEPTH:
        raise bad("geometry", geometry, "not known", f"give one of {', '.join(_DEPTH)}")
    points = _coordinates(coordinates, _DEPTH[geometry])
    lies = _relation(georel, geometry, points)

    def fits(entity: Entity) -> bool:
        place = entity.attribute(geoproperty)
        if place is None or place.kind != "GeoProperty":
            return False
        lon, lat = place.value["coordinates"]
        return lies((lon, lat))

    return fits


def distance_m(one: Point, other: Point) -> float:
    """Metres between two points (haversine).

    >>> round(distance_m((0.0, 0.0), (0.0, 1.0)))
    111195
    """
    lon_1, lat_1, lon_2, lat_2 = map(math.radians, (*one, *other))
    part = (
        math.sin((lat_2 - lat_1) / 2) ** 2
        + math.cos(lat_1) * math.cos(lat_2) * math.sin((lon_2 - lon_1) / 2) ** 2
    )
    return 2 * _RADIUS_M * math.asin(min(1.0, math.sqrt(part)))


def _relation(georel: str, geometry: str, points: Any) -> Callable[[Point], bool]:  # noqa: ANN401
    near = _NEAR.fullmatch(georel)
    if near is not None:
        return _near(near[1], float(near[2]), geometry, points)
    inside = _inside(geometry, points)
    if georel in ("within", "intersects"):
        return inside
    if georel == "disjoint":
        return lambda point: not inside(point)
    if georel == "equals":
        if geometry != "Point":
            return lambda _point: False  # a point equals no other geometry
        return inside
    if georel in ("contains", "overlaps"):
        reason = "entities here are points, which contain and overlap nothing"
        raise bad("georel", georel, reason, "ask for within or intersects")
    raise bad("georel", georel, "not known", f"give one of {', '.join(_RELATIONS)}")


def _near(bound: str, metres: float, geometry: str, points: Any) -> Callable[[Point], bool]:  # noqa: ANN401
    if geometry != "Point":
        raise bad("geometry", geometry, "near is of a point here", "give geometry=Point")
    centre: Point = points
    if bound == "max":
        return lambda point: distance_m(point, centre) <= metres
    return lambda point: distance_m(point, centre) >= metres


def _inside(geometry: str, points: Any) -> Callable[[Point], bool]:  # noqa: ANN401 - GeoJSON
    if geometry in ("Point", "MultiPoint"):
        known = {points} if geometry == "Point" else set(points)
        return lambda point: point in known
    if geometry == "LineString":
        pieces = list(pairwise(points))
        return lambda point: any(_on(point, *piece) for piece in pieces)
    polygons = [points] if geometry == "Polygon" else points
    for rings in polygons:
        for ring in rings:
            if len(ring) < 4 or ring[0] != ring[-1]:
                right = "give rings of at least 4 positions, the last the same as the first"
                raise bad("coordinates", ring, "no closed ring", right)
    return lambda point: any(_in_polygon(point, rings) for rings in polygons)


def _in_polygon(point: Point, rings: Sequence[Sequence[Point]]) -> bool:
    """Inside the first ring and in none of the holes; the boundary counts."""
    lon, lat = point
    inside = False
    for ring in rings:
        for (lon_1, lat_1), (lon_2, lat_2) in pairwise(ring):
            if _on(point, (lon_1, lat_1), (lon_2, lat_2)):
                return True
            if (lat_1 > lat) != (lat_2 > lat):
                crossing = lon_1 + (lat - lat_1) * (lon_2 - lon_1) / (lat_2 - lat_1)
                inside ^= lon < crossing
    return inside


def _on(point: Point, one: Point, other: Point) -> bool:
    """Whether a point lies on a straight piece."""
    (lon, lat), (lon_1, lat_1), (lon_2, lat_2) = point, one, other
    if not (min(lon_1, lon_2) <= lon <= max(lon_1, lon_2)):
        return False
    if not (min(lat_1, lat_2) <= lat <= max(lat_1, lat_2)):
        return False
    across = (lon_2 - lon_1) * (lat - lat_1) - (lat_2 - lat_1) * (lon - lon_1)
    return abs(across) < 1e-12


def _coordinates(text: str, depth: int) -> Any:  # noqa: ANN401 - GeoJSON
    if len(text) > MOST_SIGNS:
        raise bad("coordinates", text, f"{len(text)} characters", f"give at most {MOST_SIGNS}")
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise bad("coordinates", text, "no JSON", "write e.g. [127.0,37.5]") from error
    left = [MOST_POINTS]
    found = _read(raw, depth, left)
    if found is None:
        right = "write [longitude,latitude] in degrees, nested as the geometry asks"
        raise bad("coordinates", text, "no positions of this geometry", right)
    return found


def _read(raw: object, depth: int, left: list[int]) -> Any:  # noqa: ANN401 - GeoJSON
    """Positions of a depth; None if they are none."""
    if not isinstance(raw, list):
        return None
    if depth:
        found = [_read(one, depth - 1, left) for one in raw]
        return None if not found or any(one is None for one in found) else found
    left[0] -= 1
    numbers = [one for one in raw if isinstance(one, int | float) and not isinstance(one, bool)]
    if left[0] < 0 or len(numbers) != len(raw) or len(raw) not in (2, 3):
        return None
    lon, lat = raw[:2]
    return (float(lon), float(lat)) if abs(lon) <= 180 and abs(lat) <= 90 else None
