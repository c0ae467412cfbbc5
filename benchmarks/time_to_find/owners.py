"""Owners of tracks: each matches at home, and what leaves is camera, time and score.

Shapes: R tracks, Q pictures of the query, E numbers of an embedding, H hits.
"""

from dataclasses import dataclass, field

import numpy as np

from deepcity.city.arrays import Bools, Doubles, Floats, Indices
from deepcity.simulation.cameras.recording import SimulatedTracks

HEIGHT_DOUBT_M = 0.15
"""By which a measured height may differ from the reported one; unknown heights stay in."""


@dataclass(eq=False)
class TrackOwner:
    """One who holds tracks: a city, or whoever pooled all.

    Attributes:
        embedding_RE: of unit length.
        row_R: of the tracks among all of the day.
        query_QE: as this owner's network sees the query; of unit length.
        height_m: of the child; NaN: not asked for.
        most: hits that it answers with.
        least: score under which a hit is not sent.
    """

    tracks: SimulatedTracks
    embedding_RE: Floats
    row_R: Indices
    query_QE: Floats
    height_m: float
    most: int
    least: float = -np.inf
    judged_R: Bools = field(init=False)
    score_R: Doubles = field(init=False)
    _fits_R: Bools = field(init=False)

    def __post_init__(self) -> None:
        with np.errstate(invalid="ignore"):
            off_R = np.abs(self.tracks.height_m_R - self.height_m) > HEIGHT_DOUBT_M
        self._fits_R = ~off_R
        self.judged_R = np.zeros(len(self.row_R), bool)
        self.score_R = np.full(len(self.row_R), -np.inf)
        for row_E in self.query_QE:
            self._add(row_E)

    def hits(self, now_s: float) -> Indices:
        """Rows of the best tracks that can be searched by now and were not judged yet."""
        open_R = self._fits_R & ~self.judged_R & (self.tracks.ready_s_R <= now_s)
        open_R &= self.score_R >= self.least
        rows = np.flatnonzero(open_R)
        if len(rows) <= self.most:
            return rows
        return rows[np.argpartition(-self.score_R[rows], self.most)[: self.most]]

    def learn(self, row: int) -> None:
        """A confirmed hit joins the query, of this owner and this search alone."""
        self._add(self.embedding_RE[row])

    def _add(self, query_E: Floats) -> None:
        """Keep each track's best score, in standard deviations of all tracks here."""
        if not len(self.row_R):
            return
        cosine_R = (self.embedding_RE @ query_E).astype(np.float64)
        deviation = cosine_R.std() or 1.0
        self.score_R = np.maximum(self.score_R, (cosine_R - cosine_R.mean()) / deviation)
