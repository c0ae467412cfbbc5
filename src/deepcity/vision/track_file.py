"""Tracks of one camera in a file: a line each, appended as they end; nobody else may read it.

The first line says which camera and network they are of. With a storage key
(`deepcity.store.at_rest.storage_key`) every line is encrypted on its own, as Base64. A process
that is killed leaves at most one line without its end, which is no track; appending cuts it off.

Embeddings tell people apart: the file stays with the camera's owner and is deleted in hours.
"""

import base64
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, Literal, Self

from filelock import BaseFileLock, FileLock, Timeout
from pydantic import Field

from deepcity.city.errors import CameraError, StorageKeyError
from deepcity.city.frozen_model import FrozenModel
from deepcity.city.regular_file import check_regular
from deepcity.store.at_rest.encrypted import MAGIC, for_disk, from_disk
from deepcity.store.atomic import write_error_text
from deepcity.vision.described_track import DescribedTrack
from deepcity.vision.track_line import line_of, track_of

_MOST_LINE = 64_000_000
_MOST_HEAD, _MOST_WIDTH = 2_000, 16_384
_BEGINNINGS = (b'{"format":"deepcity tracks', base64.b64encode(MAGIC))


class TrackFileHead(FrozenModel):
    """Whose tracks a file holds.

    Attributes:
        camera: its id.
        network: that made the embeddings; empty where there are none.
        width: numbers of an embedding.
    """

    format: Literal["deepcity tracks 1"] = "deepcity tracks 1"
    camera: Annotated[str, Field(min_length=1, max_length=200)]
    network: Annotated[str, Field(max_length=200)] = ""
    width: Annotated[int, Field(ge=0, le=_MOST_WIDTH)] = 0


class TrackFileWriter:
    """Appends tracks to a file, which it begins or goes on with.

    Attributes:
        next_number: for the next track: one more than the highest in the file.
        added: tracks that this writer has appended.

    Raises:
        CameraError: if the file is of another camera or network, is damaged, cannot be written,
            or another process writes to it.
    """

    def __init__(self, path: Path, head: TrackFileHead) -> None:
        self._path, self.next_number, self.added = path, 0, 0
        self._lock = _locked(path)
        try:
            fresh = not path.exists() or not path.stat().st_size
            keep = 0 if fresh else self._go_on(head)
            self._file = self._opened(keep)
            if not keep:
                self._write(head.model_dump_json().encode())
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, one: DescribedTrack) -> None:
        """Append a track.

        Raises:
            CameraError: if it cannot be written; those before are kept.
        """
        self._write(line_of(one))
        self.added += 1

    def close(self) -> None:
        """Bring all to the disk.

        Raises:
            CameraError: if it cannot be written; those before are kept.
        """
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise CameraError(write_error_text(self._path, error, 0)) from error
        finally:
            with contextlib.suppress(OSError):
                self._file.close()
            self._lock.release()

    def _go_on(self, head: TrackFileHead) -> int:
        """Bytes of the file that are whole lines; 0: its writer was killed within the first."""
        first = _first_line(self._path)
        if not first.endswith(b"\n") and any(one.startswith(first[:20]) for one in _BEGINNINGS):
            return 0
        reader = TrackFileReader(self._path)
        if reader.head != head:
            raise CameraError(
                f"{self._path}: it holds tracks of camera {reader.head.camera!r} by network "
                f"{reader.head.network or 'none'!r}, not of {head.camera!r} by "
                f"{head.network or 'none'!r}; give another --out"
            )
        for one in reader.tracks():
            self.next_number = max(self.next_number, one.track.number + 1)
        return reader.whole_bytes

    def _opened(self, keep: int) -> BinaryIO:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            file = os.fdopen(handle, "r+b")
            file.truncate(keep)
            file.seek(keep)
            return file
        except OSError as error:
            raise CameraError(write_error_text(self._path, error, 0)) from error

    def _write(self, data: bytes) -> None:
        sealed = for_disk(data)
        line = data if sealed is data else base64.b64encode(sealed)
        try:
            self._file.write(line + b"\n")
            self._file.flush()
        except OSError as error:
            raise CameraError(write_error_text(self._path, error, len(line))) from error


class TrackFileReader:
    """Reads a file of tracks, one at a time.

    Attributes:
        head: whose tracks they are.
        whole_bytes: of the whole lines that were read.

    Raises:
        CameraError: if it is not there, is no such file, or its key is not.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        first = _first_line(path)
        try:
            self.head = TrackFileHead.model_validate_json(self._plain(first))
        except ValueError as error:
            right = "give one that `deepcity cameras watch` wrote, or another path"
            raise CameraError(f"{path}: no file of tracks; {right}") from error
        self.whole_bytes = len(first)

    def tracks(self) -> Iterator[DescribedTrack]:
        """Every track; a last line without its end is none yet.

        Raises:
            CameraError: at a line that was changed or cut.
        """
        with self._path.open("rb") as file:
            self.whole_bytes, number = len(file.readline(_MOST_HEAD)), 1
            while (line := file.readline(_MOST_LINE)).endswith(b"\n"):
                number += 1
                try:
                    found = track_of(self.head.camera, self.head.width, self._plain(line))
                except ValueError as error:
                    raise CameraError(self._damaged(number, str(error))) from error
                self.whole_bytes += len(line)
                yield found

    def _plain(self, line: bytes) -> bytes:
        """What stands in a line; ValueError if it was changed or cut."""
        if line.startswith(b"{"):
            return line
        try:
            return from_disk(base64.b64decode(line.strip(), validate=True))
        except StorageKeyError as error:
            raise CameraError(f"{self._path}: {error}") from error

    def _damaged(self, number: int, reason: str) -> str:
        return (
            f"{self._path}: line {number:,} is no track ({reason}); it was changed or cut. Remove "
            f"that line to read the others, or begin another file"
        )


def _first_line(path: Path) -> bytes:
    try:
        check_regular(path)
        with path.open("rb") as file:
            return file.readline(_MOST_HEAD)
    except OSError as error:
        raise CameraError(f"{path}: {error.strerror}; give a file of tracks") from error


def _locked(path: Path) -> BaseFileLock:
    """A file beside, which one process at a time has locked."""
    beside = path.with_name(f".{path.name}.lock")
    try:
        beside.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(beside, timeout=0, mode=0o600)
        lock.acquire()
    except Timeout as error:
        raise CameraError(
            f"{path}: another process writes to it; give each camera a file of its own"
        ) from error
    except OSError as error:
        raise CameraError(write_error_text(path, error, 0)) from error
    return lock
