"""The lines of a ledger's file, read one by one in bounded memory, whatever the file may be."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from deepcity.city.errors import LedgerError
from deepcity.city.regular_file import check_regular
from deepcity.store.canonical_text import CanonicalTextError, parse_canonical
from deepcity.store.release_ledger.heads import SignedHead
from deepcity.store.release_ledger.release import Entry

MOST_LINE = 8192
"""Bytes of a line; the longest names of Hangul in each field need less."""
HEAD_START = b'{"head":'
_BUFFER = 1 << 20
Kind = TypeVar("Kind", Entry, SignedHead)


@dataclass(frozen=True)
class LedgerLine:
    """One line without its end.

    Attributes:
        number: from 1, as editors count.
        start: of its first byte.
        whole: whether it ends with a newline.
        too_long: whether it is longer than any of ours; `data` is its beginning then, and nothing
            is read after it.
    """

    number: int
    start: int
    data: bytes
    whole: bool = True
    too_long: bool = False

    @property
    def is_head(self) -> bool:
        """Whether it holds a head; else it must be an entry."""
        return self.data.startswith(HEAD_START)


def read_lines(path: Path, start: int = 0) -> Iterator[LedgerLine]:
    """Every line, up to the first that is too long.

    Args:
        start: byte at which a line begins; lines are numbered from there.

    Raises:
        LedgerError: if it cannot be read, or is a named pipe or a device.
    """
    try:
        check_regular(path)
        with path.open("rb", buffering=_BUFFER) as file:
            file.seek(start)
            number = 0
            while data := file.readline(MOST_LINE + 1):
                number += 1
                whole = data.endswith(b"\n")
                if not whole and len(data) > MOST_LINE:
                    yield LedgerLine(number, start, data, whole=False, too_long=True)
                    return
                yield LedgerLine(number, start, data[:-1] if whole else data, whole)
                start += len(data)
    except OSError as error:
        raise LedgerError(
            f"{path} cannot be read: {error.strerror or error}. Name a file that `deepcity run` "
            f"wrote (sites/SITE/releases.jsonl), or put back a copy"
        ) from error


def entry_of(data: bytes) -> Entry | str:
    """The entry in a line, or why there is none."""
    return _read(Entry, data)


def head_of(data: bytes) -> SignedHead | str:
    """The signed head in a line, or why there is none."""
    return _read(SignedHead, data)


def _read(kind: type[Kind], data: bytes) -> Kind | str:
    try:
        return parse_canonical(data, kind)
    except CanonicalTextError as error:
        return str(error)
