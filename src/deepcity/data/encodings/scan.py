"""Reads the bytes of a file, plain or gzip, in blocks, and finds where they stop being text."""

import codecs
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

BLOCK_BYTES = 1 << 20
LINES_EACH = 200
GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class BadByte:
    """The first byte that an encoding does not allow.

    Attributes:
        row: number of its line in the file, from 1.
        offset: how many bytes precede it.
        value: the byte; None where the file ends within a character.
    """

    row: int
    offset: int
    value: int | None

    def __str__(self) -> str:
        byte = "the end of the file" if self.value is None else f"byte 0x{self.value:02X}"
        return f"row {self.row:,}, {byte} at {self.offset:,}"


class EncodingError(UnicodeDecodeError):
    """A file that an encoding does not read; `place` is the first byte that is wrong."""

    def __init__(self, error: UnicodeDecodeError, place: BadByte) -> None:
        super().__init__(error.encoding, error.object, error.start, error.end, str(place))
        self.place = place


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """The file's content, unpacked if it is gzip.

    Raises:
        OSError: if it cannot be opened.
    """
    with path.open("rb") as raw:
        packed = raw.read(len(GZIP)) == GZIP
    with gzip.open(path, "rb") if packed else path.open("rb") as file:
        yield cast(BinaryIO, file)


def blocks(path: Path) -> Iterator[bytes]:
    """The file's bytes in blocks of 1 MB.

    Raises:
        OSError, EOFError, zlib.error: if it cannot be read or unpacked.
    """
    with open_bytes(path) as file:
        while block := file.read(BLOCK_BYTES):
            yield block


def lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """Some lines with a byte over 127, with their numbers, from all parts of a file.

    Of each block the first and the last `LINES_EACH`: of gigabytes not every line can be looked
    at. A line longer than a block comes in pieces, so that memory stays bounded.
    """
    row, rest = 1, b""
    for block in blocks(path):
        whole, cut, end = (rest + block).rpartition(b"\n")
        if not cut and len(end) > BLOCK_BYTES:
            whole, end = end, b""
        rest = end
        if not whole and not cut:
            continue
        if not whole.isascii():
            yield from _some(whole.split(b"\n"), row)
        row += whole.count(b"\n") + len(cut)
    if not rest.isascii():
        yield row, rest


def _some(lines: list[bytes], row: int) -> Iterator[tuple[int, bytes]]:
    """The first and last lines with a byte over 127; `row` is the number of the first line."""
    foreign = ((n, line) for n, line in enumerate(lines) if not line.isascii())
    first = list(islice(foreign, LINES_EACH))
    after = first[-1][0] + 1 if first else len(lines)
    behind = ((n, lines[n]) for n in range(len(lines) - 1, after - 1, -1) if not lines[n].isascii())
    last = list(islice(behind, LINES_EACH))
    yield from ((row + n, line) for n, line in (*first, *reversed(last)))


def decoded(path: Path, codec: str) -> Iterator[str]:
    """The file's text in pieces.

    Raises:
        EncodingError: at the first byte that is wrong.
        OSError, EOFError, zlib.error: if it cannot be read or unpacked.
    """
    decoder = codecs.getincrementaldecoder(codec)("strict")
    row, offset = 1, 0
    for block in _with_end(path):
        pending = decoder.getstate()[0]
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode(codec, errors="replace").count("\n")
            value = error.object[error.start] if error.start < len(error.object) and block else None
            place = BadByte(row + before, offset - len(pending) + error.start, value)
            raise EncodingError(error, place) from error
        row, offset = row + text.count("\n"), offset + len(block)
        yield text


def _with_end(path: Path) -> Iterator[bytes]:
    yield from blocks(path)
    yield b""


def bad_byte(path: Path, codec: str) -> BadByte | None:
    """Row and byte at which a file is not text in this encoding, or None if all of it is."""
    try:
        for _ in decoded(path, codec):
            pass
    except EncodingError as error:
        return error.place
    return None
