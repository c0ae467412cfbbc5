"""A day of three cities as their cameras saw it, and the children lost in it.

Streets, passers-by, cameras and cases all follow from one seed. Everything is on the graph of
streets, a pass at a crossing being the smallest thing that happens: 100,000 passers-by make
230,000 trips and 1.6 million passes, in about two seconds. Crowds at a metre's scale would take
hours without changing what a camera at a crossing records: see the page "A simulated world".
"""

from dataclasses import dataclass, field, replace

import numpy as np

from deepcity.simulation.cameras.camera_posts import CameraFaults, CameraPosts, place_cameras
from deepcity.simulation.cameras.recording import SimulatedTracks, record
from deepcity.simulation.people.lost_children import KINDS, ChildWorld, LostChild
from deepcity.simulation.people.passers_by import send_out
from deepcity.simulation.people.passes import joined_passes
from deepcity.simulation.streets.bus_lines import lay_bus_lines
from deepcity.simulation.streets.routes import find_routes
from deepcity.simulation.streets.street_map import StreetMap, StreetPlan, lay_streets


@dataclass(frozen=True)
class StreetDaySettings:
    """How big the world is.

    Attributes:
        persons: passers-by in all three cities.
        cameras: in all three cities.
        children: cases; every second one tries to cross a city border.
    """

    persons: int = 100_000
    cameras: int = 200
    children: int = 60
    plan: StreetPlan = field(default_factory=StreetPlan)
    faults: CameraFaults = field(default_factory=CameraFaults)


@dataclass(frozen=True, eq=False)
class StreetDay:
    """What happened, and what was recorded of it.

    Attributes:
        children: the child of row q is the person of number `persons + q`.
        trips_by_mode: of passers-by: on foot, by bus, by car.
    """

    persons: int
    streets: StreetMap
    cameras: CameraPosts
    tracks: SimulatedTracks
    children: tuple[LostChild, ...]
    trips_by_mode: tuple[int, int, int]

    def number_of(self, child: int) -> int:
        """A child's number as a person."""
        return self.persons + child


def simulate_street_day(settings: StreetDaySettings, seed: int) -> StreetDay:
    """One day; the same for the same seed.

    Raises:
        ValueError: if there is nobody, or less than no case.
    """
    if settings.persons < 1 or settings.children < 0:
        raise ValueError(
            f"{settings.persons} passers-by and {settings.children} cases; give at least one "
            f"passer-by, and no negative number of cases"
        )
    town_rng, people_rng, camera_rng, child_rng, film_rng = (
        np.random.default_rng([seed, part]) for part in range(5)
    )
    streets = lay_streets(settings.plan, town_rng)
    routes = find_routes(streets, town_rng)
    lines = lay_bus_lines(streets, routes, town_rng)
    crowd = send_out(settings.persons, streets, routes, lines, people_rng)
    cameras = place_cameras(settings.cameras, streets, crowd.passes, settings.faults, camera_rng)
    world = ChildWorld(streets, routes, lines)
    children = tuple(
        world.lose(
            settings.persons + number,
            KINDS[number // 2 % len(KINDS)],
            child_rng,
            cross=number % 2 == 1,
        )
        for number in range(settings.children)
    )
    passes = joined_passes([crowd.passes, *(child.passes for child in children)])
    height_m_Q = np.append(crowd.height_m_Q, [child.height_m for child in children])
    tracks = record(passes, height_m_Q, cameras, settings.faults, film_rng)
    return StreetDay(settings.persons, streets, cameras, tracks, children, crowd.trips_by_mode)


def without_faults(settings: StreetDaySettings) -> StreetDaySettings:
    """The same world with cameras that miss and mistake nothing."""
    none = CameraFaults(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    return replace(settings, faults=none)
