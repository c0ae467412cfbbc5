"""The operator who looks at hits, and when the child is found.

The model, in full: the first hits are there 5 s after the report, and again every minute with what
has been recorded since. The operator looks at six hits a minute, best first by the ranking; tells a
right one as such with probability 0.9, and takes a wrong one for the child with 0.01. A confirmed
hit joins the known sightings, and a right one the query at its owner (that a wrong one does not is
kind to all ways alike). A wrong one is found out by a patrol after three minutes and taken out of
the known sightings again. The child is found when a right hit is
confirmed while the child is within 300 m of that hit's camera.

Shapes: H hits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.time_to_find.owners import TrackOwner
from benchmarks.time_to_find.plausible import KnownSightings, ranked
from deepcity.city.arrays import Doubles
from deepcity.simulation.cameras.camera_posts import CameraPosts
from deepcity.simulation.people.lost_children import LostChild

FIRST_S, REFRESH_S, LOOK_S = 5.0, 60.0, 10.0
TELLS, MISTAKES = 0.9, 0.01
CORRECTED_S = 180.0
NEAR_M = 300.0
WITHIN_S = 600.0


@dataclass(frozen=True)
class SearchResult:
    """One search.

    Attributes:
        found_s: seconds from report to found; None: not within ten minutes.
        sighted_s: to the first right hit that is confirmed; None likewise.
        shown: hits of passers-by that the operator looked at.
        wrongly: passers-by who were reported as the child.
    """

    found_s: float | None
    sighted_s: float | None
    shown: int
    wrongly: int


@dataclass(eq=False)
class ControlDesk:
    """One search as it runs.

    Attributes:
        person: the child's number.
        plausible: whether hits are ranked by time and distance too.
        verdicts: owner and row of what was confirmed -> seconds after the report from which on it
            is known as wrong; infinite for a right one.
    """

    child: LostChild
    person: int
    cameras: CameraPosts
    owners: Sequence[TrackOwner]
    lost_place_2: Doubles
    rng: np.random.Generator
    plausible: bool = True
    found_s: float | None = None
    sighted_s: float | None = None
    shown: int = 0
    wrongly: int = 0
    verdicts: dict[tuple[int, int], float] = field(default_factory=dict)

    def run(self) -> SearchResult:
        """Look for ten minutes, or until the child is found."""
        looks = np.arange(FIRST_S, WITHIN_S, LOOK_S)
        hits: list[tuple[int, int]] = []
        refreshed = -np.inf
        for after_s in looks:
            if after_s - refreshed >= REFRESH_S:
                hits, refreshed = self._all_hits(self.child.report_s + after_s), after_s
            if hits and self.found_s is None:
                best = self._best(hits, after_s)
                hits.remove(best)
                self._look(*best, after_s + LOOK_S)
        return SearchResult(self.found_s, self.sighted_s, self.shown, self.wrongly)

    def _all_hits(self, now_s: float) -> list[tuple[int, int]]:
        """Owner and row there."""
        return [
            (number, int(row))
            for number, owner in enumerate(self.owners)
            for row in owner.hits(now_s)
        ]

    def _best(self, hits: list[tuple[int, int]], after_s: float) -> tuple[int, int]:
        """The hit to look at next."""
        score_H = np.array([self.owners[one].score_R[row] for one, row in hits])
        if not self.plausible:
            return hits[int(score_H.argmax())]
        time_s_H = np.array([self._time_s(*hit) for hit in hits])
        camera_H = np.array([self.owners[one].tracks.camera_R[row] for one, row in hits])
        value_H = ranked(score_H, time_s_H, self.cameras.place_C2[camera_H], self._known(after_s))
        return hits[int(value_H.argmax())]

    def _known(self, after_s: float) -> KnownSightings:
        """Where it was lost and what was confirmed, but for what is known as wrong by now."""
        known = KnownSightings(np.array([self.child.lost_s]), self.lost_place_2[None])
        for (number, row), wrong_from_s in self.verdicts.items():
            if after_s < wrong_from_s:
                camera = self.owners[number].tracks.camera_R[row]
                known = known.with_one(self._time_s(number, row), self.cameras.place_C2[camera])
        return known

    def _look(self, number: int, row: int, after_s: float) -> None:
        """The operator judges one hit."""
        owner = self.owners[number]
        owner.judged_R[row] = True
        tracks = owner.tracks
        right = self.person in (tracks.person_R[row], tracks.other_R[row])
        self.shown += not right
        confirmed = self.rng.random() < (TELLS if right else MISTAKES)
        if not confirmed:
            return
        camera = int(tracks.camera_R[row])
        wrong_from_s = np.inf if right else after_s + CORRECTED_S
        self.verdicts[number, row] = wrong_from_s
        if not right:
            self.wrongly += 1
            return
        owner.learn(row)
        self.sighted_s = after_s if self.sighted_s is None else self.sighted_s
        place_2 = self.child.place_at(self.child.report_s + after_s)
        if np.linalg.norm(place_2 - self.cameras.place_C2[camera]) <= NEAR_M:
            self.found_s = after_s

    def _time_s(self, number: int, row: int) -> float:
        """The middle of a track, by its camera's clock."""
        tracks = self.owners[number].tracks
        return float(tracks.first_s_R[row] + tracks.last_s_R[row]) / 2
