"""Follows a text file to which rows are appended: complete lines only, each once.

An unfinished last line is left until it is complete. A rotated file (replaced by another of its
name, or truncated) is read to its end, then its successor from the start. A file rewritten with
its old rows replaces what was read before, and so does one in which rows were corrected in
place: what was read is compared with the file whenever it has changed.
"""

import os
from pathlib import Path
from typing import BinaryIO

from deepcity.data.text_files.quotes import QUOTE, in_quotes, split_rows

_CHUNK = 1 << 20
_END = b"\n"
MOST_PENDING = 32_000_000
"""Bytes of a row that is not complete."""
MOST_TEXT_LINES = 20
"""Lines of a text in quotes that is not closed yet; more of them are reported to wait."""


class Tail:
    """Complete lines of a growing file.

    Args:
        path: the file; it may be missing for now.
        header_lines: lines at its start that every successor has too.
        delimiter: sign between cells.
    """

    def __init__(self, path: Path, header_lines: int = 1, delimiter: str = ",") -> None:
        self.path, self.header_lines, self.delimiter = path, header_lines, delimiter.encode()
        self.header: list[bytes] = []
        self.lines: list[bytes] = []
        self._file: BinaryIO | None = None
        self._partial_line = b""
        self._header_read: list[bytes] = []
        self._successor = False
        self._open_file_lines = 0  # how many of the last lines are from the open file
        self._dropped = False
        self._changed_ns = 0

    def poll(self) -> bool:
        """Read what is new; True if there were new complete lines.

        Raises:
            ValueError: if a successor has another header, or a line does not end.
            OSError: if the file cannot be read.
        """
        new_lines = False
        if self._file is not None:
            rewritten = self._rewritten(self._file)
            if not rewritten:
                new_lines = self._read(self._file)
                if not self._rotated(self._file):
                    return new_lines
            self._file.close()
            self._file = None
        try:
            self._file = self.path.open("rb")
        except FileNotFoundError:
            return new_lines
        self._partial_line, self._header_read, self._successor = b"", [], bool(self.lines)
        self._changed_ns = os.fstat(self._file.fileno()).st_mtime_ns
        return self._read(self._file) or new_lines

    def keep_last(self, keep: int) -> None:
        """Drop all lines but the last `keep`."""
        dropped = max(0, len(self.lines) - keep)
        self._dropped |= dropped > 0
        del self.lines[:dropped]
        self._open_file_lines = min(self._open_file_lines, len(self.lines))

    def text(self) -> bytes:
        """Header and lines, as the content of a file."""
        return b"".join([*self.header, *self.lines])

    @property
    def waits(self) -> bool:
        """Whether so many lines stand in a text in quotes that it is likely never closed."""
        return self._partial_line.count(_END) > MOST_TEXT_LINES

    def stray_quotes(self) -> list[tuple[int, bytes]]:
        """Rows with a quote that is never closed: each with its line number, 0 if not known."""
        line = 1 + sum(row.count(_END) for row in self.header or self._header_read)
        first = len(self.lines) - self._open_file_lines
        found = []
        for row in self.lines:
            if QUOTE in row and in_quotes(row, self.delimiter):
                found.append((line if not first and not self._dropped else 0, row))
            line += row.count(_END)
        if self.waits:
            text = self._partial_line.partition(_END)[0]
            found.append((line if not first and not self._dropped else 0, text))
        return found

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _rotated(self, file: BinaryIO) -> bool:
        try:
            now = self.path.stat()
        except FileNotFoundError:
            return False  # its successor is not written yet
        was = _stat(file)
        return (now.st_dev, now.st_ino) != was or now.st_size < file.tell()

    def _rewritten(self, file: BinaryIO) -> bool:
        """Whether the lines read from it and still kept have changed in the file."""
        state = os.fstat(file.fileno())
        if state.st_mtime_ns == self._changed_ns or state.st_size < file.tell():
            return False
        self._changed_ns, end = state.st_mtime_ns, file.tell()
        previous = (
            b"".join(self.lines[len(self.lines) - self._open_file_lines :]) + self._partial_line
        )
        file.seek(end - len(previous))
        return file.read(len(previous)) != previous

    def _read(self, file: BinaryIO) -> bool:
        new_lines: list[bytes] = []
        while chunk := file.read(_CHUNK):
            example = next(iter([*self.lines[-1:], *new_lines[-1:]][::-1]), b"")
            whole, self._partial_line, _ = split_rows(
                self._partial_line + chunk, self.delimiter, example
            )
            new_lines += whole
            if len(self._partial_line) > MOST_PENDING:
                self._partial_line = b""
                self.close()
                msg = f"{self.path.name} has a row of over {MOST_PENDING:,} bytes"
                raise ValueError(msg)
        missing = self.header_lines - len(self._header_read)
        self._header_read += new_lines[:missing]
        rows = new_lines[missing:]
        if not rows:
            return False
        if self.header and self._header_read != self.header:
            self.close()
            msg = f"{self.path.name} has another header than before; restart to read it anew"
            raise ValueError(msg)
        self.header = self._header_read
        if self._successor:
            self._drop_repeated(rows)
        self._successor = False
        self.lines += rows
        self._open_file_lines += len(rows)
        return True

    def _drop_repeated(self, rows: list[bytes]) -> None:
        """Drop lines that a successor repeats: then it is the old file, rewritten."""
        first, known = len(self.lines) - self._open_file_lines, set(self.lines)
        shared = [row for row in rows if row in known]
        if rows[0] in known or 2 * len(shared) >= min(len(rows), len(self.lines)):
            # lines of the file open before, or of its predecessors too
            del self.lines[first if set(rows).isdisjoint(self.lines[:first]) else 0 :]
        self._open_file_lines = 0


def _stat(file: BinaryIO) -> tuple[int, int]:
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino
