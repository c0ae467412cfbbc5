"""The search as the service `missing-child` does it: its owners' answers, and its paths.

Owners answer with 20 hits of at least its least score, cosines in hundredths and whole seconds,
and move the query by verdicts (`deepcity.intercity.casework.refined_query`). The desk keeps all
hits of a case and orders them by the probability that chains of hits give each
(`deepcity.applications.tasks.matching.paths`). Signatures, policy and ledger take no part here.

Shapes: R tracks, Q pictures of the query, E numbers of an embedding, A cameras.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from benchmarks.time_to_find.control_desk import ControlDesk
from benchmarks.time_to_find.owners import TrackOwner
from deepcity.applications.missing_child import APPLICATION
from deepcity.applications.tasks.matching.match_state import (
    Hit,
    HitVerdict,
    MatchState,
    ScoreModel,
    Spot,
)
from deepcity.applications.tasks.matching.paths import paths
from deepcity.city.arrays import Doubles, Indices
from deepcity.intercity.casework.refined_query import AWAY, TOWARDS
from deepcity.learning.identity.retrieval import unit
from deepcity.simulation.pictures import EmbeddedPictures
from deepcity.simulation.streets.street_map import CITIES

_METRES_A_DEGREE = 6_371_000.0 * np.pi / 180
_PAIRS = 500_000


@dataclass(eq=False)
class ServiceOwner(TrackOwner):
    """An owner of cameras who answers a case."""

    _confirmed: list[int] = field(default_factory=list)

    def hits(self, now_s: float) -> Indices:
        """As of `TrackOwner`, by the query as verdicts have moved it."""
        rejected = np.setdiff1d(np.flatnonzero(self.judged_R), self._confirmed)
        moved_QE = self.query_QE.astype(np.float64)
        for rows, weight in ((self._confirmed, TOWARDS), (rejected, -AWAY)):
            if len(rows):
                moved_QE = moved_QE + weight * self.embedding_RE[rows].mean(axis=0)
        query_QE = unit(np.asarray(moved_QE, np.float32))
        if len(self.row_R):
            self.score_R = np.round((self.embedding_RE @ query_QE.T).max(axis=1), 2).astype(float)
        return super().hits(now_s)

    def learn(self, row: int) -> None:
        """A confirmed hit moves the query of the next answer."""
        self._confirmed.append(row)


@dataclass(eq=False)
class ServiceDesk(ControlDesk):
    """The desk of a case.

    Attributes:
        scores: how scores of the network are distributed, as the service is told; None: its preset.
        passers_by_h: people past one camera in an hour, likewise.
    """

    scores: ScoreModel | None = None
    passers_by_h: float = 100.0
    _kept: dict[tuple[int, int], float] = field(default_factory=dict)
    _chance: dict[tuple[int, int], float] = field(default_factory=dict)
    _ranked_with: int = -1

    def _all_hits(self, now_s: float) -> list[tuple[int, int]]:
        for number, row in super()._all_hits(now_s):
            self._kept[number, row] = self.owners[number].score_R[row]
        self._ranked_with = -1
        return [hit for hit in self._kept if not self.owners[hit[0]].judged_R[hit[1]]]

    def _best(self, hits: list[tuple[int, int]], after_s: float) -> tuple[int, int]:
        if self._ranked_with != len(self.verdicts):
            self._rank(after_s)
        return max(hits, key=lambda hit: (self._chance.get(hit, 0.0), self._kept[hit]))

    def _rank(self, after_s: float) -> None:
        """Weigh all chains anew: after an answer, and after a confirmation."""
        self._ranked_with = len(self.verdicts)
        hits = {hit: self._hit(*hit, after_s) for hit in self._kept}
        found = paths(self._state(tuple(hits.values()), after_s))
        chance = {id(hit): one for hit, one in zip(found.hits, found.probability_N, strict=True)}
        self._chance = {key: float(chance.get(id(hit), 0.0)) for key, hit in hits.items()}

    def _hit(self, number: int, row: int, after_s: float) -> Hit:
        verdict = HitVerdict.NONE
        if self.owners[number].judged_R[row]:
            wrong_from_s = self.verdicts.get((number, row), -np.inf)
            verdict = HitVerdict.CONFIRMED if after_s < wrong_from_s else HitVerdict.REJECTED
        camera = int(self.owners[number].tracks.camera_R[row])
        city = CITIES[int(self.cameras.city_C[camera])]
        time_s = float(int(self._time_s(number, row)))
        return Hit(city, str(camera), time_s, self._kept[number, row], verdict)

    def _state(self, hits: tuple[Hit, ...], after_s: float) -> MatchState:
        places = {
            f"{CITIES[int(city)]}/{number}": _spot(place_2)
            for number, (city, place_2) in enumerate(
                zip(self.cameras.city_C, self.cameras.place_C2, strict=True)
            )
        }
        state = MatchState(
            now_s=self.child.report_s + after_s,
            last_seen=_spot(self.lost_place_2),
            last_seen_s=self.child.lost_s,
            hits=hits,
            cameras=places,
            asked=CITIES,
            passers_by_h=self.passers_by_h,
        )
        return state if self.scores is None else replace(state, scores=self.scores)


def service_owner(owner: TrackOwner) -> ServiceOwner:
    """The same tracks, answered for as the service's terms are."""
    terms = APPLICATION.terms
    return ServiceOwner(
        owner.tracks,
        owner.embedding_RE,
        owner.row_R,
        owner.query_QE,
        owner.height_m,
        terms.most_hits,
        terms.least_score,
    )


def fitted_scores(pictures: EmbeddedPictures) -> ScoreModel:
    """How cosines of pictures by different cameras are distributed, of one person and of two."""
    rng = np.random.default_rng(7)
    one, other = rng.integers(0, len(pictures.person_I), (2, _PAIRS))
    apart = pictures.camera_I[one] != pictures.camera_I[other]
    one, other = one[apart], other[apart]
    cosine = np.einsum("ie,ie->i", pictures.embedding_IE[one], pictures.embedding_IE[other])
    same = pictures.person_I[one] == pictures.person_I[other]
    values = [float(part(cosine[some])) for some in (same, ~same) for part in (np.mean, np.std)]
    return ScoreModel(*values)


def _spot(place_2: Doubles) -> Spot:
    """Near the equator, where a degree has the same metres both ways."""
    return Spot(float(place_2[1] / _METRES_A_DEGREE), float(place_2[0] / _METRES_A_DEGREE))
