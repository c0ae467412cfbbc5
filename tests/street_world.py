"""A small simulated world, made once."""

from functools import cache

import numpy as np

from deepcity.simulation.cameras.camera_posts import CameraFaults
from deepcity.simulation.people.lost_children import ChildWorld
from deepcity.simulation.street_day import StreetDaySettings, simulate_street_day
from deepcity.simulation.streets.bus_lines import lay_bus_lines
from deepcity.simulation.streets.routes import find_routes
from deepcity.simulation.streets.street_map import StreetPlan, lay_streets

PLAN = StreetPlan(crossings=9)


@cache
def child_world(seed=0):
    rng = np.random.default_rng(seed)
    streets = lay_streets(PLAN, rng)
    routes = find_routes(streets, rng)
    return ChildWorld(streets, routes, lay_bus_lines(streets, routes, rng))


@cache
def small_day(seed=0, persons=1500, cameras=60, children=12, faults=None):
    faults = CameraFaults() if faults is None else faults
    return simulate_street_day(StreetDaySettings(persons, cameras, children, PLAN, faults), seed)
