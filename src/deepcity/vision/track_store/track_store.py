"""A city's tracks on disk: added while they are searched, deleted when their hours are over.

    FOLDER/NETWORK/1700000400-3-3.tracks    tracks that ended within ten minutes, of one `append`
    FOLDER/NETWORK/1700000400-0-2.tracks    those of earlier ones, merged
    FOLDER/NETWORK/.lock                    held by who writes

A file is written whole and never changed; deleting is to unlink it. Whatever kills a writer leaves
whole files: at worst those that it had merged beside the merged one, and then the name tells which
counts. A plain folder rather than a table in DuckDB: unlinking deletes at once and wholly, where a
database keeps deleted rows in its file until it is rewritten; and DuckDB's exact search of the same
embeddings took seven times as long (docs/adr/0029).

Unlinked bytes stay on a disk until they are overwritten: name a storage key where that matters.
"""

import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepcity.city.errors import StorageKeyError, StoreError
from deepcity.vision.described_track import DescribedTrack
from deepcity.vision.track_store.segment_file import MOST_ROWS, read_segment, write_segment
from deepcity.vision.track_store.segment_folder import PATIENCE_S, SegmentFolder, unlink
from deepcity.vision.track_store.segment_name import SegmentName, of_any_file, start_of
from deepcity.vision.track_store.track_rows import TrackRows, joined

MOST_HOURS = 168
MOST_FILES = 16
"""Of ten minutes, before they are merged."""
AHEAD_S = 60
"""By which a camera's clock may be ahead."""
_LARGE_BYTES = 32_000_000
"""A file of so many is not merged again: each row is then rewritten a few times, not for ever."""
_WITHOUT_NETWORK = "no-network"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrackStore:
    """Tracks by one network, in a folder that also keeps those by others until their time is over.

    Attributes:
        folder: of all tracks of the city.
        network: that made the embeddings; empty where tracks have none.
        width: how many numbers an embedding has; 0 where there are none.
        hours: after which a track must be gone; it goes up to ten minutes earlier, with all that
            ended in the same ten minutes.
        clock: UTC seconds.

    Raises:
        ValueError: if the network's name is none, its width does not fit, or the hours are not
            1 to 168.
    """

    folder: Path
    network: str
    width: int
    hours: int
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        if not re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9._-]{0,99})?", self.network):
            raise ValueError(
                f"network {self.network!r}: use letters, digits, '.', '_' and '-', 100 at most"
            )
        if (self.width > 0) != bool(self.network) or self.width < 0:
            raise ValueError(
                f"{self.width} numbers by network {self.network!r}; name the network and how many "
                f'numbers its embeddings have, or neither ("" and 0)'
            )
        if not 1 <= self.hours <= MOST_HOURS:
            raise ValueError(f"{self.hours} hours; tracks are kept for 1 to {MOST_HOURS}")

    def append(self, tracks: Sequence[DescribedTrack]) -> int:
        """Add tracks, and delete what has ended; returns how many were added.

        Tracks that ended too long ago are not added. If it raises, tracks of some of the ten
        minutes may have been added, and those of the others not.

        Raises:
            ValueError: if an embedding does not fit or a track ends in the future; none is added.
            StorageKeyError: if a key is named that cannot be had.
            StoreError: if the disk refuses, or another process writes for over a minute.
        """
        _check_clocks(tracks, self.clock())
        rows = TrackRows.of(tracks, self.width)
        start_R = np.array([start_of(one.track.last_s) for one in tracks], dtype=np.int64)
        added = 0
        with self._own.alone():
            self.delete_ended()
            for start_s in map(int, np.unique(start_R)):
                # not what would end while it is written
                if not self._ended(start_s, self.clock() + PATIENCE_S):
                    added += self._add(start_s, rows.taken(np.flatnonzero(start_R == start_s)))
        return added

    def delete_ended(self) -> int:
        """Delete all files whose tracks are over, of every network; returns how many.

        It needs neither a key nor whole files. Whoever runs the cameras calls it every minute, so
        that tracks go also where none are added any more.

        Raises:
            StoreError: naming a file that the system does not let go.
        """
        now_s, deleted = self.clock(), 0
        for path in self.folder.glob("*/*"):
            name = of_any_file(path.name)
            if name is not None and self._ended(name.start_s, now_s):
                unlink(path)
                deleted += 1
        return deleted

    def segments(self) -> list[SegmentName]:
        """Which files hold the tracks of now, oldest first; none that is over or replaced.

        Raises:
            StoreError: if a file ends in .tracks and has no name of ours: it would stay for ever.
        """
        now_s = self.clock()
        return [one for one in self._own.names() if not self._ended(one.start_s, now_s)]

    def read(self, name: SegmentName) -> TrackRows:
        """The tracks of a file.

        Raises:
            FileNotFoundError: if it was deleted or merged meanwhile.
            StorageKeyError: if no key of the environment opens it.
            StoreError: naming the file, if it was changed, cut or renamed.
        """
        return read_segment(self._own.path_of(name), self.network, self.width)

    @property
    def _own(self) -> SegmentFolder:
        return SegmentFolder(self.folder / (self.network or _WITHOUT_NETWORK))

    def _ended(self, start_s: int, now_s: float) -> bool:
        return start_s + self.hours * 3600 <= now_s

    def _add(self, start_s: int, rows: TrackRows) -> int:
        for begin in range(0, len(rows), MOST_ROWS):
            some = rows.taken(np.arange(begin, min(begin + MOST_ROWS, len(rows))))
            own = [name for name in self._own.names() if name.start_s == start_s]
            number = max((name.last for name in own), default=-1) + 1
            path = self._own.path_of(SegmentName(start_s, number, number))
            write_segment(path, some, self.network)
        try:
            self._merge(start_s)
        except (StoreError, StorageKeyError, FileNotFoundError) as error:  # all is kept, unmerged
            _log.warning("files of tracks are not merged: %s", error)
        return len(rows)

    def _merge(self, start_s: int) -> None:
        """Make one file of the newest small ones of ten minutes, if there are many."""
        own = [name for name in self._own.names() if name.start_s == start_s]
        small: list[SegmentName] = []
        for name in reversed(own):  # those after the last large one: their numbers have no gap
            if self._own.path_of(name).stat().st_size > _LARGE_BYTES:
                break
            small.insert(0, name)
        if len(small) < MOST_FILES:
            return
        whole = SegmentName(start_s, small[0].first, small[-1].last)
        rows = joined([self.read(name) for name in small])
        write_segment(self._own.path_of(whole), rows, self.network)
        for name in small:
            unlink(self._own.path_of(name))


def _check_clocks(tracks: Sequence[DescribedTrack], now_s: float) -> None:
    """A track of tomorrow would be kept a day too long."""
    for one in tracks:
        ahead_s = one.track.last_s - now_s
        if ahead_s > AHEAD_S:
            raise ValueError(
                f"track {one.track.number} of camera {one.track.camera} ends {ahead_s:.0f} s from "
                f"now; set the camera's clock"
            )
