"""One way to search, on all cases of one day."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.time_to_find.control_desk import NEAR_M, WITHIN_S, ControlDesk, SearchResult
from benchmarks.time_to_find.networks import train_scores
from benchmarks.time_to_find.service_desk import ServiceDesk, service_owner
from benchmarks.time_to_find.ways import FITTED, DayAtCities, Way
from deepcity.simulation.street_day import StreetDay

REACHABLE = "a perfect eye on all cameras"


@dataclass(frozen=True)
class Case:
    """One way, one seed: a value a child.

    Attributes:
        way: name of the way.
        kind, crossed: of `deepcity.simulation.people.lost_children.LostChild`.
        found_s, sighted_s, shown, wrongly: of `SearchResult`.
        seconds: CPU seconds of all searches.
    """

    way: str
    seed: int
    kind: Sequence[str]
    crossed: Sequence[bool]
    found_s: Sequence[float | None]
    sighted_s: Sequence[float | None]
    shown: Sequence[int]
    wrongly: Sequence[int]
    seconds: float

    def as_dict(self) -> dict[str, object]:
        """For a line of JSON."""
        return asdict(self)


def measure(at: DayAtCities, way: Way) -> Case:
    """All children of a day, one way."""
    at.look(way)
    begun = time.process_time()
    found = [_search(at, way, number) for number in range(len(at.day.children))]
    return _case(at.day, way.name, at.seed, found, time.process_time() - begun)


def reachable(day: StreetDay, seed: int) -> Case:
    """Whom a search that knows every track of the children could find: the cameras' bound."""
    found = [_reachable(day, number) for number in range(len(day.children))]
    return _case(day, REACHABLE, seed, found, 0.0)


def _search(at: DayAtCities, way: Way, number: int) -> SearchResult:
    day, child = at.day, at.day.children[number]
    desk = ControlDesk(
        child,
        day.number_of(number),
        day.cameras,
        at.owners(way, number),
        day.streets.place_N2[child.lost_node],
        np.random.default_rng([at.seed, 23, number]),
        plausible=way.plausible,
    )
    return (_of_the_service(desk, at, way) if way.service else desk).run()


def _of_the_service(desk: ControlDesk, at: DayAtCities, way: Way) -> ServiceDesk:
    """The same search by the service's own rules."""
    owners = [service_owner(one) for one in desk.owners]
    found = ServiceDesk(desk.child, desk.person, desk.cameras, owners, desk.lost_place_2, desk.rng)
    if way.service == FITTED:
        found.scores, found.passers_by_h = train_scores(), at.passers_by_h
    return found


def _reachable(day: StreetDay, number: int) -> SearchResult:
    child, tracks = day.children[number], day.tracks
    own = day.number_of(number)
    row_R = np.flatnonzero((tracks.person_R == own) | (tracks.other_R == own))
    after_s_R = np.maximum(tracks.ready_s_R[row_R] - child.report_s, 0.0)
    row_R, after_s_R = row_R[after_s_R <= WITHIN_S], after_s_R[after_s_R <= WITHIN_S]
    near_R = [
        np.linalg.norm(child.place_at(child.report_s + after_s) - place_2) <= NEAR_M
        for after_s, place_2 in zip(
            after_s_R, day.cameras.place_C2[tracks.camera_R[row_R]], strict=True
        )
    ]
    found_s_R = after_s_R[np.array(near_R, bool)]
    return SearchResult(_least(found_s_R), _least(after_s_R), 0, 0)


def _least(some: np.ndarray) -> float | None:
    return float(some.min()) if len(some) else None


def _case(
    day: StreetDay, way: str, seed: int, found: Sequence[SearchResult], seconds: float
) -> Case:
    return Case(
        way,
        seed,
        [child.kind for child in day.children],
        [child.crossed for child in day.children],
        [one.found_s for one in found],
        [one.sighted_s for one in found],
        [one.shown for one in found],
        [one.wrongly for one in found],
        round(seconds, 2),
    )
