"""Tracks in memory, every one compared: what faster searches are measured against.

Shapes: R tracks, Q pictures of the query, E numbers of an embedding.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from deepcity.city.arrays import Doubles
from deepcity.vision.described_track import DescribedTrack
from deepcity.vision.searching.person_query import PersonQuery, SearchSpan
from deepcity.vision.searching.sighting import Sighting
from deepcity.vision.searching.word_scores import contradicted, word_scores
from deepcity.vision.track_words import TrackWords


def check_network(query: PersonQuery, network: str, width: int) -> None:
    """See that a query's pictures compare with tracks.

    Raises:
        ValueError: if they are of another network or width.
    """
    if not query.has_pictures:
        return
    if query.network != network or query.embedding_QE.shape[1] != width:
        raise ValueError(
            f"the query's embeddings are {query.embedding_QE.shape[1]} numbers by "
            f"{query.network!r}, and these tracks have {width} by {network!r}; make the query's "
            f"by that network"
        )


@dataclass(frozen=True)
class ExactSearch:
    """A search over a few hundred thousand tracks in memory.

    Attributes:
        network: that made their embeddings.

    Raises:
        ValueError: if embeddings differ in width, or one is not there.
    """

    network: str
    tracks: Sequence[DescribedTrack]
    _embedding_RE: Doubles = field(init=False, repr=False)

    def __post_init__(self) -> None:
        widths = {one.track.embedding_E.size for one in self.tracks}
        if len(widths) > 1 or (0 in widths and self.network):
            raise ValueError(
                f"embeddings of {', '.join(map(str, sorted(widths)))} numbers in one list; give "
                f"tracks of one network"
            )
        width = widths.pop() if widths else 0
        rows = [one.track.embedding_E for one in self.tracks]
        embedding_RE = np.stack(rows) if rows else np.zeros((0, width))
        object.__setattr__(self, "_embedding_RE", embedding_RE)

    def nearest(self, query: PersonQuery, span: SearchSpan, count: int) -> list[Sighting]:
        """As `TrackSearch`."""
        if self.tracks:
            check_network(query, self.network, self._embedding_RE.shape[1])
        chosen = [row for row, seen in enumerate(self._seen(span)) if seen]
        some = [self.tracks[row] for row in chosen]
        if not some:
            return []
        words = TrackWords.of(some)
        score_R = word_scores(query, words)
        if query.has_pictures:
            score_R = (self._embedding_RE[chosen] @ query.embedding_QE.T).max(axis=1)
        kept_R = ~contradicted(query, words)
        if not query.has_pictures:
            kept_R &= score_R > 0
        found = [_sighting(some[row], score_R[row]) for row in np.flatnonzero(kept_R)]
        return sorted(found, key=lambda one: (-one.score, one.time_s, one.camera))[:count]

    def embedding_of(self, camera: str, time_s: int) -> Doubles | None:
        """As `TrackSearch`."""
        for one in self.tracks:
            middle_s = (one.track.first_s + one.track.last_s) / 2
            if one.track.camera == camera and int(middle_s) == time_s:
                return one.track.embedding_E if one.track.embedding_E.size else None
        return None

    def _seen(self, span: SearchSpan) -> list[bool]:
        """Whether each track was in view within the span, at one of its cameras."""
        return [
            one.track.last_s >= span.since_s
            and one.track.first_s < span.until_s
            and (span.cameras is None or one.track.camera in span.cameras)
            for one in self.tracks
        ]


def _sighting(one: DescribedTrack, score: float) -> Sighting:
    middle_s = (one.track.first_s + one.track.last_s) / 2
    return Sighting(score=float(score), time_s=middle_s, camera=one.track.camera)
