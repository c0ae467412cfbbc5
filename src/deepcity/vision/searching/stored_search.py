"""Every stored track compared with a query: as `ExactSearch`, for millions.

Exact, for it need not be less: on one core a block of whole numbers is made float32 and multiplied
faster than a search of 10 million may take (docs/adr/0029, `python -m benchmarks.nearest_tracks`).

Shapes: R tracks of a file, N of them chosen, Q pictures of the query, E numbers of an embedding.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

import numpy as np

from deepcity.city.arrays import Bools, Doubles, Floats, Indices
from deepcity.city.errors import StoreError
from deepcity.vision.searching.best_sightings import best_sightings, ranked
from deepcity.vision.searching.exact_search import check_network
from deepcity.vision.searching.person_query import PersonQuery, SearchSpan
from deepcity.vision.searching.sighting import Sighting
from deepcity.vision.searching.word_scores import contradicted, word_scores
from deepcity.vision.track_store.held_segments import HeldSegments
from deepcity.vision.track_store.track_rows import TrackRows
from deepcity.vision.track_store.track_store import TrackStore

BLOCK_ROWS = 4096
"""Compared at once: 4 MB of float32 with 256 numbers, which the cache of a core holds."""
MEMORY_BYTES = 4_000_000_000
"""For 13 million tracks of 256 numbers."""
_ATTEMPTS = 20
Found = TypeVar("Found")


@dataclass(frozen=True)
class StoredSearch:
    """A search over a store that others write to meanwhile.

    Attributes:
        memory_bytes: for tracks that stay in memory, the newest first; others are read from disk
            each time.
    """

    store: TrackStore
    memory_bytes: int = MEMORY_BYTES
    _held: HeldSegments = field(init=False, repr=False)
    _alone: Lock = field(init=False, repr=False, default_factory=Lock)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_held", HeldSegments(self.store, self.memory_bytes))

    @property
    def network(self) -> str:
        """As `TrackSearch`."""
        return self.store.network

    @property
    def held_bytes(self) -> int:
        """Of tracks in memory."""
        return self._held.size_bytes

    def refresh(self) -> None:
        """Read new tracks and forget ended ones, so that the next search finds them in memory.

        Raises:
            StorageKeyError: if no key of the environment opens a file.
            StoreError: naming a file that was changed or cut.
        """
        self._all_found(None, SearchSpan(-math.inf, math.inf), 0)

    def nearest(self, query: PersonQuery, span: SearchSpan, count: int) -> list[Sighting]:
        """As `TrackSearch`.

        Raises:
            StorageKeyError: if no key of the environment opens a file.
            StoreError: naming a file that was changed or cut: not all could be searched.
        """
        check_network(query, self.store.network, self.store.width)
        return self._all_found(query, span, count) if count > 0 else []

    def embedding_of(self, camera: str, time_s: int) -> Doubles | None:
        """As `TrackSearch`.

        Raises:
            StorageKeyError: if no key of the environment opens a file.
            StoreError: naming a file that was changed or cut.
        """

        def found(all_rows: Iterator[TrackRows]) -> Doubles | None:
            rows_of = (rows.embedding_of(camera, time_s) for rows in all_rows)
            return next((row for row in rows_of if row is not None), None)

        return self._read(time_s, found)

    def _all_found(self, query: PersonQuery | None, span: SearchSpan, count: int) -> list[Sighting]:
        """The best of all files, or nothing but reading them."""

        def found(all_rows: Iterator[TrackRows]) -> list[Sighting]:
            best: list[Sighting] = []
            for rows in all_rows:
                if query is not None:
                    best = ranked([*best, *_nearest(rows, query, span, count)], count)
            return best

        return self._read(span.since_s, found)

    def _read(self, since_s: float, found: Callable[[Iterator[TrackRows]], Found]) -> Found:
        """What is found in all files of tracks that may have ended since then."""
        with self._alone:
            for _ in range(_ATTEMPTS):
                try:
                    return found(self._held.rows(since_s))
                except FileNotFoundError:  # merged or over meanwhile
                    continue
        raise StoreError(
            f"files of {self.store.folder} changed {_ATTEMPTS} times while they were read; see "
            f"what else writes there and search again"
        )


def _nearest(rows: TrackRows, query: PersonQuery, span: SearchSpan, count: int) -> list[Sighting]:
    row_N = np.flatnonzero(_in_span(rows, span) & ~contradicted(query, rows.words))
    if query.has_pictures:
        return best_sightings(rows, row_N, _similarities(rows, row_N, query.embedding_QE), count)
    score_N = word_scores(query, rows.words)[row_N]
    fits_N = score_N > 0
    return best_sightings(rows, row_N[fits_N], score_N[fits_N], count)


def _in_span(rows: TrackRows, span: SearchSpan) -> Bools:
    """(R,) whether each track was in view within the span, at one of its cameras."""
    seen_R = (rows.last_s_R >= span.since_s) & (rows.first_s_R < span.until_s)
    if span.cameras is not None:
        wanted = np.array([camera in span.cameras for camera in rows.cameras], dtype=bool)
        seen_R &= wanted[rows.camera_R]
    return np.asarray(seen_R)


def _similarities(rows: TrackRows, row_N: Indices, embedding_QE: Doubles) -> Floats:
    """(N,) cosines to the nearest picture of the query."""
    picture_QE = embedding_QE.astype(np.float32)
    code_BE = np.empty((BLOCK_ROWS, picture_QE.shape[1]), dtype=np.float32)
    score_N = np.empty(len(row_N), dtype=np.float32)
    for begin in range(0, len(row_N), BLOCK_ROWS):
        block = slice(begin, min(begin + BLOCK_ROWS, len(row_N)))
        chosen = block if len(row_N) == len(rows) else row_N[block]  # a slice copies nothing
        some_BE = code_BE[: block.stop - begin]
        some_BE[:] = rows.code_RE[chosen]
        np.max(picture_QE @ some_BE.T, axis=0, out=score_N[block])
        score_N[block] *= rows.scale_R[chosen]
    return score_N
