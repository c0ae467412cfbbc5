"""Tracks of a store in memory, the newest first, as many as fit."""

from collections.abc import Iterator

from deepcity.vision.track_store.segment_name import SegmentName
from deepcity.vision.track_store.track_rows import TrackRows
from deepcity.vision.track_store.track_store import TrackStore


class HeldSegments:
    """Files of a store, each read once while there is room; not for several threads at once."""

    def __init__(self, store: TrackStore, memory_bytes: int) -> None:
        self._store = store
        self._memory_bytes = memory_bytes
        self._held: dict[SegmentName, TrackRows] = {}

    @property
    def size_bytes(self) -> int:
        """Of all that is held."""
        return sum(rows.size_bytes for rows in self._held.values())

    def rows(self, since_s: float) -> Iterator[TrackRows]:
        """Tracks of all files that may hold some that ended since then; what is over is forgotten.

        Raises:
            FileNotFoundError: if a file was deleted or merged meanwhile: begin again.
            StorageKeyError: if no key of the environment opens a file.
            StoreError: naming a file that was changed or cut.
        """
        names = self._store.segments()
        self._held = {name: self._held[name] for name in names if name in self._held}
        for name in reversed(names):
            if name.until_s > since_s:
                held = self._held.get(name)
                yield self._read(name) if held is None else held

    def _read(self, name: SegmentName) -> TrackRows:
        rows = self._store.read(name)
        room = self._memory_bytes - rows.size_bytes
        while self._held and self.size_bytes > room and min(self._held) < name:
            del self._held[min(self._held)]
        if self.size_bytes <= room:
            self._held[name] = rows
        return rows
