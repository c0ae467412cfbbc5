"""Where cameras stand, and what is wrong with each.

Cameras go to crossings by how many people pass, so that busy crossings are likelier to have one and
most streets have none: the gaps. A camera misses people, more when many are in view; some clocks
are wrong by tens of seconds or by minutes; some cameras are down for hours; about half of them are
calibrated and so measure heights.

Shapes: C cameras, N crossings, P passes.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Bools, Doubles, Ints
from deepcity.simulation.people.passes import NodePasses
from deepcity.simulation.streets.street_map import CITIES, StreetMap

_DAY_S = 86_400.0


@dataclass(frozen=True)
class CameraFaults:
    """How cameras err; shares 0 to 1.

    Attributes:
        missed: mean share of people whom a camera never detects.
        crowd_missed: share missed on top for each other person in view.
        split: share of tracks that break in two.
        mixed: share of tracks that jump to another person in view.
        nobody: share of tracks that show no person (a poster, a reflection).
        slow_clocks, bad_clocks: shares of cameras whose clock is off by 20 to 90 s, and by 2 to
            5 minutes.
        down: share of cameras that are down for one to six hours of the day.
        calibrated: share of cameras that measure heights.
        height_m: standard deviation of a measured height, metres.

    Raises:
        ValueError: if a share is none.
    """

    missed: float = 0.15
    crowd_missed: float = 0.02
    split: float = 0.12
    mixed: float = 0.05
    nobody: float = 0.01
    slow_clocks: float = 0.1
    bad_clocks: float = 0.05
    down: float = 0.1
    calibrated: float = 0.5
    height_m: float = 0.08

    def __post_init__(self) -> None:
        wrong = [f"{name} {value:g}" for name, value in vars(self).items() if not 0 <= value <= 1]
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: give shares and metres from 0 to 1")


@dataclass(frozen=True, eq=False)
class CameraPosts:
    """All cameras.

    Attributes:
        node_C, city_C: crossing and city (0, 1, 2).
        place_C2: metres east and north.
        clock_s_C: seconds by which its clock is ahead.
        found_C: share of people whom it detects.
        calibrated_C: whether it measures heights.
        down_s_C2: since and until when it is down; NaN where it never is.
    """

    node_C: Ints
    city_C: Ints
    place_C2: Doubles
    clock_s_C: Doubles
    found_C: Doubles
    calibrated_C: Bools
    down_s_C2: Doubles

    def names(self) -> list[str]:
        """Ids, such as "north-007"."""
        return [f"{CITIES[city]}-{number:03d}" for number, city in enumerate(self.city_C)]

    def at_node(self, nodes: int) -> Ints:
        """(N,) the camera at each crossing, -1 where there is none."""
        camera_N = np.full(nodes, -1)
        camera_N[self.node_C] = np.arange(len(self.node_C))
        return camera_N


def place_cameras(
    cameras: int,
    streets: StreetMap,
    passes: NodePasses,
    faults: CameraFaults,
    rng: np.random.Generator,
) -> CameraPosts:
    """Cameras at crossings, as many in each city as in the others.

    Raises:
        ValueError: if there are more cameras than crossings, or less than one a city.
    """
    size = len(streets.place_N2)
    if not len(CITIES) <= cameras <= size:
        raise ValueError(f"{cameras} cameras at {size} crossings of three cities; give 3 to {size}")
    busy_N = np.sqrt(np.bincount(passes.node_P, minlength=size) + 1.0)
    shares = np.array_split(np.arange(cameras), len(CITIES))
    chosen = []
    for city, share in enumerate(shares):
        own = np.flatnonzero(streets.city_N == city)
        odds = busy_N[own] / busy_N[own].sum()
        chosen.append(np.sort(rng.choice(own, len(share), replace=False, p=odds)))
    node_C = np.concatenate(chosen)
    found_C = rng.beta(12 * (1 - faults.missed) + 1e-9, 12 * faults.missed + 1e-9, cameras)
    return CameraPosts(
        node_C,
        streets.city_N[node_C],
        streets.place_N2[node_C],
        _clocks(cameras, faults, rng),
        found_C,
        rng.random(cameras) < faults.calibrated,
        _downtimes(cameras, faults, rng),
    )


def _clocks(cameras: int, faults: CameraFaults, rng: np.random.Generator) -> Doubles:
    kind_C = rng.random(cameras)
    sign_C = rng.choice([-1.0, 1.0], cameras)
    slow_C, bad_C = rng.uniform(20.0, 90.0, cameras), rng.uniform(120.0, 300.0, cameras)
    off_C = np.where(kind_C < faults.bad_clocks + faults.slow_clocks, slow_C * sign_C, 0.0)
    off_C = np.where(kind_C < faults.bad_clocks, bad_C * sign_C, off_C)
    return np.asarray(off_C + rng.normal(0.0, 1.0, cameras))


def _downtimes(cameras: int, faults: CameraFaults, rng: np.random.Generator) -> Doubles:
    since_C = rng.uniform(0.0, _DAY_S, cameras)
    down_C2 = np.stack([since_C, since_C + 3600.0 * rng.uniform(1.0, 6.0, cameras)], axis=1)
    down_C2[rng.random(cameras) >= faults.down] = np.nan
    return down_C2
