"""How far somebody gets in a time, on foot, by bus and by car.

Shapes: N hits or cameras, M ways to go.
"""

import numpy as np

from deepcity.applications.tasks.matching.match_state import Spot
from deepcity.city.arrays import Doubles

WAYS = {"foot": (2.0, 0.6), "bus": (9.0, 0.25), "car": (22.0, 0.15)}
"""Way -> most metres a second over a trip with its stops, and how often it is taken at first."""
CLOCKS_S = 60.0
"""By how much two cameras' clocks may differ."""
VIEW_M = 50.0
"""How far from its camera somebody in view may be."""
IMPOSSIBLE = -30.0
"""Log ratio of what no way reaches; not minus infinity, for a clock may be off by more."""
_SPEED_M = np.array([speed for speed, _ in WAYS.values()])
_SHARE_M = np.array([share for _, share in WAYS.values()])
_EARTH_M = 6_371_000.0
_EDGE_M = 500.0


def metres(spots: list[Spot], origin: Spot) -> Doubles:
    """(N, 2) metres east and north of an origin; within some hundred kilometres."""
    degrees_N2 = np.array([(one.lon - origin.lon, one.lat - origin.lat) for one in spots])
    degrees_N2 = degrees_N2.reshape(-1, 2)
    degrees_N2[:, 0] = (degrees_N2[:, 0] + 180) % 360 - 180
    scale = np.array([np.cos(np.radians(origin.lat)), 1.0])
    return np.asarray(np.radians(degrees_N2) * _EARTH_M * scale)


def area_m2(place_N2: Doubles) -> float:
    """Of the rectangle around places, with `_EDGE_M` more on every side."""
    if not len(place_N2):
        return 4 * _EDGE_M**2
    width, height = np.ptp(place_N2, axis=0) + 2 * _EDGE_M
    return float(width * height)


def log_reach(apart_m: Doubles, after_s: Doubles, area: float) -> Doubles:
    """How much better a trip explains a place than chance does, as a logarithm.

    By each way somebody is anywhere in a disc that grows with time; by chance anywhere in the area.
    A disc larger than the area tells nothing more.
    """
    radius_M = _SPEED_M * (np.abs(after_s)[..., None] + CLOCKS_S) + VIEW_M
    better_M = np.maximum(1.0, area / (np.pi * radius_M**2)) * (apart_m[..., None] <= radius_M)
    ratio = (better_M * _SHARE_M).sum(axis=-1)
    with np.errstate(divide="ignore"):
        return np.asarray(np.maximum(np.log(ratio), IMPOSSIBLE))
