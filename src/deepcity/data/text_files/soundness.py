"""Whether a text file is sound, before a reader takes it in: a pass through it in bounded memory.

A reader of columns unpacks a file and splits it into cells, whatever they cost. What is damaged
or has lines without end is told here, by its place in the file.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np

from deepcity.city.problem import Cause
from deepcity.data.encodings.scan import open_bytes
from deepcity.data.errors import ReadError
from deepcity.data.file_state import file_state
from deepcity.data.text_files.quotes import QUOTE, in_quotes

_CHUNK = 1 << 20
_SMALL = 64  # bytes; the place of a damage is told as exactly
_LINE_END = ord("\n")
_OTHER_PACKINGS = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"PK\x03\x04": "zip",
    b"7z\xbc\xaf": "7z",
}
MAX_COLUMNS = 200_000
MAX_LINE = 32_000_000
"""Bytes of the longest line, by default."""


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file's bytes, unpacked if it is gzip.

    Raises:
        ReadError: at the place where it is damaged, or if it cannot be read, or is packed
            by another method.
    """
    _check_packing(path)
    try:
        with open_bytes(path) as file:
            yield file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(path, error) from error
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
        raise ReadError("path", path.name, reason, "check the disk and the permissions") from error


def _check_packing(path: Path) -> None:
    try:
        with path.open("rb") as raw:
            begins = raw.read(8)
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
        raise ReadError("path", path.name, reason, "check the path and the permissions") from error
    packing = next((name for m, name in _OTHER_PACKINGS.items() if begins.startswith(m)), None)
    if packing is not None:
        right = "unpack it, or pack it by gzip"
        raise ReadError("path", path.name, f"cannot be read: it is packed by {packing}", right)


def _damaged(path: Path, error: Exception) -> ReadError:
    size, (at, lines) = path.stat().st_size, _sound_part(path)
    if isinstance(error, EOFError):
        reason = f"cut off after {size:,} bytes, in line {lines + 1:,}"
    elif at >= size:
        reason = f"damaged somewhere in its {size:,} bytes ({error})"
    else:
        reason = f"damaged at byte {at:,} of {size:,}, in line {lines + 1:,} or before ({error})"
    right = "fetch the file again from where it came from; `gzip -t` tells whether it is whole"
    return ReadError("path", path.name, f"cannot be read: it is {reason}", right)


def _sound_part(path: Path) -> tuple[int, int]:
    """How many bytes of a gzip file can be unpacked, and how many line ends they hold."""
    unpacking, at, lines = zlib.decompressobj(wbits=31), 0, 0
    with path.open("rb") as raw:
        while piece := raw.read(_SMALL):
            try:
                lines += unpacking.decompress(piece).count(b"\n")
            except zlib.error:
                break
            at += len(piece) - len(unpacking.unused_data)
            if unpacking.eof:  # another part follows
                raw.seek(at)
                unpacking = zlib.decompressobj(wbits=31)
    return at, lines


def check_text(
    path: Path, *, max_line: int, delimiter: str, quotes: bool = True, columns: bool = True
) -> None:
    """Check that a text file can be unpacked and that its lines and cells have an end.

    Args:
        max_line: bytes of the longest line, and of the longest cell in quotes.
        delimiter: sign between cells.
        quotes: whether cells may be in double quotes; not in encodings of two bytes a character.
        columns: whether the first line's cells become columns.

    Raises:
        ReadError: with the line concerned.
    """
    try:
        state = file_state(path)
    except OSError:
        return  # the reader tells
    _check_text(path, state, max_line, delimiter.encode(), quotes, columns)


@lru_cache(maxsize=1000)
def _check_text(
    path: Path, _state: object, max_line: int, delimiter: bytes, quotes: bool, columns: bool
) -> None:
    scan = _Scan(path, max_line)
    with opened(path) as file:
        while chunk := file.read(min(_CHUNK, max_line)):
            if columns and not scan.lines:
                _check_columns(path, chunk.partition(b"\n")[0].count(delimiter))
            scan.take(chunk)
            if quotes and scan.open_for > max_line:
                break
    too_long = scan.open_for > max_line
    if quotes and (scan.odd or too_long):
        _check_quotes(path, max_line, delimiter, within_too=not too_long)
    if quotes and too_long:  # quotes within cells alone: the rest has not been looked at
        _check_text(path, _state, max_line, delimiter, quotes=False, columns=columns)


def _check_columns(path: Path, count: int) -> None:
    if count > MAX_COLUMNS:
        reason = f"over {MAX_COLUMNS:,} columns in its first line"
        raise ReadError("path", path.name, reason, "check the delimiter and line ends")


class _Scan:
    """Counts lines and double quotes, chunk by chunk."""

    def __init__(self, path: Path, max_line: int) -> None:
        self.path, self.max_line = path, max_line
        self.lines = 0
        self.odd = False  # whether an odd count of quotes has come
        self.open_for = 0  # bytes since the last line end with an even count of quotes before it
        self._since = 0  # bytes since the last line's end

    def take(self, chunk: bytes) -> None:
        first = chunk.find(b"\n")
        self._since += len(chunk) if first < 0 else first
        if self._since > self.max_line:
            reason = f"line {self.lines + 1:,} is longer than {self.max_line:,} bytes"
            right = "check that it is a table with line ends, or raise max_line_mb"
            raise ReadError("path", self.path.name, reason, right)
        if first >= 0:
            self.lines += chunk.count(b"\n")
            self._since = len(chunk) - chunk.rfind(b"\n") - 1
        end = self._last_row_end(chunk)
        self.open_for = self.open_for + len(chunk) if end is None else len(chunk) - end - 1
        self.odd ^= bool(chunk.count(QUOTE) % 2)

    def _last_row_end(self, chunk: bytes) -> int | None:
        """The last line end with an even count of quotes before it, where no cell is open."""
        last = chunk.rfind(b"\n")
        if last < 0 or not (self.odd + chunk.count(QUOTE, 0, last)) % 2:
            return None if last < 0 else last
        signs = np.frombuffer(chunk, dtype=np.uint8)
        even = (np.cumsum(signs == QUOTE[0]) + self.odd) % 2 == 0
        ends = np.flatnonzero(even & (signs == _LINE_END))
        return int(ends[-1]) if len(ends) else None


def _check_quotes(path: Path, max_line: int, delimiter: bytes, *, within_too: bool) -> None:
    """Report the double quote that has no other: one that opens a cell, or one within a cell.

    Args:
        within_too: whether one within a cell is reported; else only a cell that is too long.
    """
    inside, begun, size, within = False, 0, 0, 0
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            was, inside = inside, in_quotes(line, delimiter, inside)
            if inside and not was:
                begun, size = number, 0
            if not (inside or was or within) and line.count(QUOTE) % 2:
                within = number
            size += len(line)
            if inside and size > max_line:
                break
    if inside:
        end = f"not closed within {max_line:,} bytes" if size > max_line else "never closed"
        reason = f"line {begun:,} opens a double quote that is {end}"
        right = "remove the quote, or close it: every row after it is taken for one cell"
        raise ReadError("path", path.name, reason, right, _stray_quote(begun))
    if within and within_too:
        reason = f"line {within:,} has a double quote within a cell"
        right = 'remove it, or put the whole cell in quotes and write the one within twice ("")'
        raise ReadError("path", path.name, reason, right, _stray_quote(within))


def _stray_quote(line: int) -> Cause:
    return Cause("stray-quote", 1, (line,))
