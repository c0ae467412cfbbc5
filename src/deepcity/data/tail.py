"""The tail of a text file that somebody appends rows to: whole lines only, each once.

A last line without its end is left until it is whole. A file that was rotated (another file
took its name, or it was cut) is read to its end, then its successor from the start. One that
is written anew, old rows and all, replaces what was read before, and so does one in which rows
were corrected in their place: what was read is compared with the file whenever it has changed.
"""

import os
from pathlib import Path
from typing import BinaryIO

_CHUNK = 1 << 20
_END = b"\n"
_QUOTE = b'"'


class Tail:
    """Whole lines of a growing file.

    Args:
        path: the file; it may be missing for now.
        header_lines: lines at its start that every successor has too.
    """

    def __init__(self, path: Path, header_lines: int = 1) -> None:
        self.path, self.header_lines = path, header_lines
        self.header: list[bytes] = []
        self.lines: list[bytes] = []
        self._file: BinaryIO | None = None
        self._rest = b""
        self._head: list[bytes] = []
        self._successor = False
        self._own = 0  # of the lines, so many last ones are of the file that is open
        self._changed_ns = 0

    def poll(self) -> bool:
        """Read what is new; True if whole lines came.

        Raises:
            ValueError: if a successor has another header.
            OSError: if the file cannot be read.
        """
        came = False
        if self._file is not None:
            rewritten = self._rewritten(self._file)
            if not rewritten:
                came = self._read(self._file)
                if not self._rotated(self._file):
                    return came
            self._file.close()
            self._file = None
        try:
            self._file = self.path.open("rb")
        except FileNotFoundError:
            return came
        self._rest, self._head, self._successor = b"", [], bool(self.lines)
        self._changed_ns = os.fstat(self._file.fileno()).st_mtime_ns
        return self._read(self._file) or came

    def forget(self, keep: int) -> None:
        """Let go of all lines but the last `keep`."""
        del self.lines[: max(0, len(self.lines) - keep)]
        self._own = min(self._own, len(self.lines))

    def text(self) -> bytes:
        """Header and lines as a file of their own would hold them."""
        return b"".join([*self.header, *self.lines])

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _rotated(self, file: BinaryIO) -> bool:
        try:
            now = self.path.stat()
        except FileNotFoundError:
            return False  # its successor is on the way
        was = _stat(file)
        return (now.st_dev, now.st_ino) != was or now.st_size < file.tell()

    def _rewritten(self, file: BinaryIO) -> bool:
        """Whether what was read of it, as far as it is kept, is another text now."""
        state = os.fstat(file.fileno())
        if state.st_mtime_ns == self._changed_ns or state.st_size < file.tell():
            return False
        self._changed_ns, end = state.st_mtime_ns, file.tell()
        kept = b"".join(self.lines[len(self.lines) - self._own :]) + self._rest
        file.seek(end - len(kept))
        return file.read(len(kept)) != kept

    def _read(self, file: BinaryIO) -> bool:
        came: list[bytes] = []
        while chunk := file.read(_CHUNK):
            whole, self._rest = _whole(self._rest + chunk)
            came += whole
        missing = self.header_lines - len(self._head)
        self._head += came[:missing]
        rows = came[missing:]
        if not rows:
            return False
        if self.header and self._head != self.header:
            self.close()
            msg = f"{self.path.name} has another header than before; start again to read it anew"
            raise ValueError(msg)
        self.header = self._head
        if self._successor:
            self._make_way(rows)
        self._successor = False
        self.lines += rows
        self._own += len(rows)
        return True

    def _make_way(self, rows: list[bytes]) -> None:
        """Let go of lines that a successor holds too: it is no new file, but written anew."""
        first, known = len(self.lines) - self._own, set(self.lines)
        shared = [row for row in rows if row in known]
        if rows[0] in known or 2 * len(shared) >= min(len(rows), len(self.lines)):
            # those of the file that was open before, or of its predecessors too
            del self.lines[first if set(rows).isdisjoint(self.lines[:first]) else 0 :]
        self._own = 0


def _stat(file: BinaryIO) -> tuple[int, int]:
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino


def _whole(text: bytes) -> tuple[list[bytes], bytes]:
    """Whole lines, and the rest; a line end inside quotes ends no row.

    >>> _whole(b'1,2\\n3,"a\\nb"\\n4,')
    ([b'1,2\\n', b'3,"a\\nb"\\n'], b'4,')
    """
    found, held = [], b""
    for line in text.splitlines(keepends=True):
        held += line
        if line.endswith(_END) and held.count(_QUOTE) % 2 == 0:
            found.append(held)
            held = b""
    return found, held
