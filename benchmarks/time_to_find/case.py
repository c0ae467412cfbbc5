"""One way to search, on the cases of one day."""

import time
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.time_to_find.control_desk import NEAR_M, WITHIN_S, ControlDesk, SearchResult
from benchmarks.time_to_find.ways import DayAtCities, Way
from deepcity.simulation.street_day import StreetDay

REACHABLE = "a perfect eye on all cameras"


@dataclass(frozen=True)
class Found:
    """One child, one way.

    Attributes:
        way: name of the way.
        kind, crossed: of `deepcity.simulation.people.lost_children.LostChild`.
        found_s, sighted_s, shown, wrongly: of `SearchResult`.
    """

    way: str
    seed: int
    child: int
    kind: str
    crossed: bool
    found_s: float | None
    sighted_s: float | None
    shown: int
    wrongly: int
    seconds: float

    def as_dict(self) -> dict[str, object]:
        """For a line of JSON."""
        return asdict(self)


def search(at: DayAtCities, way: Way, number: int) -> Found:
    """One child, one way."""
    begun = time.process_time()
    day, child = at.day, at.day.children[number]
    desk = ControlDesk(
        child,
        day.number_of(number),
        day.cameras,
        at.owners(way, number),
        day.streets.place_N2[child.lost_node],
        np.random.default_rng([at.seed, 23, number]),
    )
    found = desk.run()
    seconds = time.process_time() - begun
    return _as_found(day, way.name, at.seed, number, found, seconds)


def reachable(day: StreetDay, seed: int, number: int) -> Found:
    """Whether a search that knows every track of the child could find it: the cameras' bound."""
    child, tracks = day.children[number], day.tracks
    own = day.number_of(number)
    row_R = np.flatnonzero((tracks.person_R == own) | (tracks.other_R == own))
    sighted_s, found_s = None, None
    for row in row_R:
        after_s = max(float(tracks.ready_s_R[row]) - child.report_s, 0.0)
        if after_s > WITHIN_S:
            continue
        sighted_s = after_s if sighted_s is None else min(sighted_s, after_s)
        place_2 = child.place_at(child.report_s + after_s)
        near = np.linalg.norm(place_2 - day.cameras.place_C2[tracks.camera_R[row]]) <= NEAR_M
        if near and (found_s is None or after_s < found_s):
            found_s = after_s
    return _as_found(day, REACHABLE, seed, number, SearchResult(found_s, sighted_s, 0, 0), 0.0)


def _as_found(
    day: StreetDay, way: str, seed: int, number: int, found: SearchResult, seconds: float
) -> Found:
    child = day.children[number]
    return Found(
        way,
        seed,
        number,
        child.kind,
        child.crossed,
        found.found_s,
        found.sighted_s,
        found.shown,
        found.wrongly,
        round(seconds, 3),
    )
