"""The files of tracks by one network: which there are, who may write, what a killed writer left."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from deepcity.city.errors import StoreError
from deepcity.store.atomic import write_error_text
from deepcity.vision.track_store.segment_name import (
    SUFFIX,
    SegmentName,
    is_half_written,
    parsed,
    unreplaced,
)

PATIENCE_S = 60
"""How long a writer waits for another."""


@dataclass(frozen=True)
class SegmentFolder:
    """A folder of files of tracks and the lock of who writes."""

    path: Path

    def path_of(self, name: SegmentName) -> Path:
        """Where a file is."""
        return self.path / str(name)

    def names(self) -> list[SegmentName]:
        """All files that no other replaces, oldest first.

        Raises:
            StoreError: if a file ends in .tracks and has no name of ours: it would stay for ever.
        """
        # a file that is merged meanwhile could be missed, and so could what replaces it: one of
        # two listings that are alike misses none
        before, found = None, self._listed()
        while found != before:
            before, found = found, self._listed()
        return unreplaced(found)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No other thread or process writes; what a killed one left is gone.

        Raises:
            StoreError: if the folder cannot be written, or another writes for over a minute.
        """
        lock = FileLock(self.path / ".lock", timeout=PATIENCE_S)
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock.acquire()
        except Timeout as error:
            raise StoreError(
                f"{self.path}: another process has been writing for {PATIENCE_S} s; see whether "
                f"it hangs"
            ) from error
        except OSError as error:
            raise StoreError(write_error_text(self.path, error, 0)) from error
        try:
            self._tidy()
            yield
        finally:
            lock.release()

    def _listed(self) -> list[SegmentName]:
        found = []
        for path in self.path.glob(f"[!.]*{SUFFIX}"):
            name = parsed(path.name)
            if name is None:
                raise StoreError(
                    f"{path} is not named as this store names files, and would never be deleted; "
                    f"move it out of the folder or delete it"
                )
            found.append(name)
        return sorted(found)

    def _tidy(self) -> None:
        for path in self.path.iterdir():
            if is_half_written(path.name):
                unlink(path)
        found = self._listed()
        for name in set(found) - set(unreplaced(found)):
            unlink(self.path_of(name))


def unlink(path: Path) -> None:
    """Delete a file of tracks, if it is still there.

    Raises:
        StoreError: if the system does not let it go.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be deleted: {error.strerror or error}; its tracks are over or kept "
            f"twice, delete it by hand"
        ) from error
