"""Rows that came, in a CSV file: batches of whole lines, each kept wholly or not at all.

A batch is appended and reaches the disk (fsync); then a small file beside, written in one step,
says up to which byte rows count and which batches they are. What a killed writer left behind
that byte is cut off at the next start; its sender got no receipt, and sends it again.
"""

import csv
import hashlib
import io
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, Self

from filelock import FileLock, Timeout

from deepcity.city.errors import LiveError
from deepcity.store.atomic import write_atomic

Cells = Sequence[str | None]
_KEYS = 2000  # batches that are remembered
_END = b"\n"
_CHUNK = 1 << 16


class KeyReusedError(LiveError):
    """A batch under the key of another one."""


class RowSpool:
    """The rows of one source. Threads may share it; one process has it at a time.

    Args:
        path: of the file.
        columns: that rows have; a file with others gets these beside its own.
        most_bytes: beyond them the older half of the rows is dropped.

    Raises:
        LiveError: if another process has it.
        OSError: if the file cannot be read or written.
    """

    def __init__(self, path: Path, columns: Sequence[str], most_bytes: int) -> None:
        self.path, self.most_bytes = path, most_bytes
        self._state_path = _state_path(path)
        self._mutex = Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._process = FileLock(f"{path}.lock", blocking=False)
        try:
            self._process.acquire()
        except Timeout:
            right = "stop the other one, or give this city file another path for the source"
            raise LiveError(str(path), "another running city keeps its rows there", right) from None
        self._size, self._keys = self._recovered()
        self.columns = self._with_columns(columns)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others have it."""
        self._process.release()

    def append(self, rows: Sequence[Mapping[str, str | None]], key: str, content: str) -> bool:
        """Keep rows; False if the batch of this key was kept before.

        Args:
            rows: by column; columns that the file lacks are left out.
            key: of the batch.
            content: a digest of it.

        Raises:
            KeyReusedError: if the key is that of a batch of other content.
            OSError: if they cannot be kept: then none is.
        """
        name = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:32]
        with self._mutex:
            known = self._keys.get(name)
            if known is not None:
                if known != content:
                    reason = "this key was used for other rows"
                    raise KeyReusedError(key[:100], reason, "give each batch a key of its own")
                return False
            self._mend()
            text = _lines([[row.get(one) for one in self.columns] for row in rows])
            self._write(text)
            keys = {**self._keys, name: content}
            for old in list(keys)[: max(0, len(keys) - _KEYS)]:
                del keys[old]
            self._commit(self._size + len(text), keys)
            if self._size > self.most_bytes:
                self._drop_older_half()
        return True

    def _mend(self) -> None:
        """Go on from what is whole of a file that something else made shorter, or took away.

        Writing at the place of before would leave a hole that no reader gets over. It becomes a
        new file: a reader that did not look meanwhile would go on in the middle of a line once the
        old one has grown past the place where that reader was.
        """
        size = self.path.stat().st_size if self.path.exists() else 0
        if size < self._size:
            self._size, self._keys = self._recovered()
            self.columns = self._with_columns(self.columns)
            self._replace(self.path.read_bytes())

    def _write(self, text: bytes) -> None:
        try:
            with self.path.open("r+b") as file:
                file.seek(self._size)
                file.truncate()
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            self._cut()
            raise

    def _commit(self, size: int, keys: dict[str, str]) -> None:
        try:
            self._write_state(size, keys)
        except OSError:
            self._cut()
            raise
        self._size, self._keys = size, keys

    def _write_state(self, size: int | None, keys: Mapping[str, str]) -> None:
        """What counts; None: all whole lines do."""
        write_atomic(self._state_path, json.dumps({"bytes": size, "batches": keys}).encode())

    def _cut(self) -> None:
        with suppress(OSError):
            os.truncate(self.path, self._size)

    def _recovered(self) -> tuple[int, dict[str, str]]:
        """How many bytes of the file count, and the batches known; what counts not is cut off."""
        state = _state(self._state_path)
        size = self.path.stat().st_size if self.path.exists() else 0
        counts = state["bytes"]
        if counts is None or counts > size:  # a file that was put there, or was made smaller
            counts = _whole_lines(self.path) if size else 0
        if counts < size:
            os.truncate(self.path, counts)
        return counts, state["batches"]

    def _with_columns(self, columns: Sequence[str]) -> tuple[str, ...]:
        """The columns of the file, with those that it lacked."""
        if not self._size:
            self._replace(_lines([columns]))
            return tuple(columns)
        with self.path.open(encoding="utf-8", newline="") as file:
            known = next(csv.reader(file))
            found = [*known, *(one for one in columns if one not in known)]
            if found != known:
                blank = [""] * (len(found) - len(known))
                self._replace(_lines([found, *([*row, *blank] for row in csv.reader(file))]))
        return tuple(found)

    def _drop_older_half(self) -> None:
        with self.path.open("rb") as file:
            header = file.readline()
            file.seek(self._size - self.most_bytes // 2)
            file.readline()
            self._replace(header + file.read())

    def _replace(self, content: bytes) -> None:
        """Another content in one step; readers that have the old file open see a successor."""
        self._write_state(None, self._keys)
        write_atomic(self.path, content)
        self._commit(len(content), self._keys)


def committed_bytes(path: Path) -> int:
    """How many bytes of a spool's file count; all whole lines where that is not written down.

    Raises:
        OSError: if the file cannot be read.
    """
    size, counts = path.stat().st_size, _state(_state_path(path))["bytes"]
    return _whole_lines(path) if counts is None or counts > size else int(counts)


def digest(rows: Sequence[Mapping[str, str | None]]) -> str:
    """What rows are the same by."""
    text = json.dumps([dict(row) for row in rows], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _lines(rows: Sequence[Cells]) -> bytes:
    """Rows as lines: a text with a line feed in it has a blank there."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow([" ".join((cell or "").splitlines()) for cell in row])
    return text.getvalue().encode("utf-8", "replace")


def _whole_lines(path: Path) -> int:
    """Bytes up to the last line feed."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            begin = max(0, end - _CHUNK)
            file.seek(begin)
            at = file.read(end - begin).rfind(_END)
            if at >= 0:
                return begin + at + 1
            end = begin
    return 0


def _state_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.committed")


def _state(path: Path) -> dict[str, Any]:
    """What was committed; nothing where that is not known."""
    try:
        found = json.loads(path.read_bytes())
        size, batches = found["bytes"], dict(found["batches"])
        size = None if size is None else int(size)
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return {"bytes": None, "batches": {}}
    return {"bytes": size, "batches": {str(key): str(one) for key, one in batches.items()}}
