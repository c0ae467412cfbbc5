"""Tracks of one camera go into the city's store, some seconds' at a time, as `TrackFileWriter`."""

import time
from collections.abc import Callable
from typing import Self

from deepcity.vision.described_track import DescribedTrack
from deepcity.vision.track_store.track_store import TrackStore

_EVERY_S = 10.0
_MOST_WAITING = 500


class StoreWriter:
    """Adds tracks to a store; those that wait are added when it is closed.

    Attributes:
        next_number: for the next track: the store needs none, so it begins at 0.
        added: tracks that were taken; the store leaves out those whose hours are over.

    Raises:
        ValueError, StorageKeyError, StoreError: as `TrackStore.append`.
    """

    def __init__(self, store: TrackStore, now: Callable[[], float] = time.monotonic) -> None:
        self.next_number, self.added = 0, 0
        self._store, self._now = store, now
        self._waiting: list[DescribedTrack] = []
        self._last_s = now()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._write()

    def add(self, one: DescribedTrack) -> None:
        """Take a track; it is on the disk within seconds, if frames go on."""
        self._waiting.append(one)
        if len(self._waiting) >= _MOST_WAITING or self._now() - self._last_s >= _EVERY_S:
            self._write()

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._last_s = self._now()
        if waiting:
            self.added += self._store.append(waiting)
