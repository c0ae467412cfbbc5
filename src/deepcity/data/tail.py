"""The tail of a text file that somebody appends rows to: whole lines only, each once.

A last line without its end is left until it is whole. A file that was rotated (another file
took its name, or it was cut) is read to its end, then its successor from the start. One that
is written anew each time, old rows and all, replaces what was read before.
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

    def poll(self) -> bool:
        """Read what is new; True if whole lines came.

        Raises:
            ValueError: if a successor has another header.
            OSError: if the file cannot be read.
        """
        came = False
        if self._file is not None:
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
        return self._read(self._file) or came

    def forget(self, keep: int) -> None:
        """Let go of all lines but the last `keep`."""
        del self.lines[: max(0, len(self.lines) - keep)]

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
        if self._successor and rows[0] in self.lines:
            self.lines = []  # rows of before, written anew
        self._successor = False
        self.lines += rows
        return True


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
