"""Small files of the ledger (heads, proofs, evidence), each the canonical JSON of what it holds."""

from pathlib import Path
from typing import TypeVar

from deepcity.city.errors import LedgerError
from deepcity.city.regular_file import read_regular
from deepcity.store.atomic import write_atomic, write_error_text
from deepcity.store.canonical_text import CanonicalTextError, parse_canonical
from deepcity.store.release_ledger.release import Strict

Sheet = TypeVar("Sheet", bound=Strict)
MOST_BYTES = 10_000_000
_AGAIN = "Ask whose it is for another copy"


def write_sheet(path: Path, sheet: Strict, *, private: bool = False) -> None:
    """Write a sheet whole or not at all.

    Raises:
        LedgerError: if it cannot be written.
    """
    data = sheet.to_line() + b"\n"
    try:
        write_atomic(path, data, private=private)
    except OSError as error:
        raise LedgerError(write_error_text(path, error, len(data))) from error


def read_sheet(path: Path, kind: type[Sheet]) -> Sheet:
    """A sheet of that kind.

    Raises:
        LedgerError: if it cannot be read, or is none.
    """
    return parse_sheet(read_bytes(path), kind, str(path))


def read_bytes(path: Path) -> bytes:
    """The bytes of a small file.

    Raises:
        LedgerError: if they cannot be read, or are too many.
    """
    try:
        data = read_regular(path, MOST_BYTES + 1)
    except OSError as error:
        raise LedgerError(f"{path} cannot be read ({error.strerror or error})") from error
    if len(data) > MOST_BYTES:
        raise LedgerError(f"{path} has over {MOST_BYTES:,} bytes, more than any head or proof")
    return data


def parse_sheet(data: bytes, kind: type[Sheet], where: str) -> Sheet:
    """The sheet in bytes that are another's.

    Raises:
        LedgerError: if there is none.
    """
    try:
        return parse_canonical(data.removesuffix(b"\n"), kind)
    except CanonicalTextError as error:
        if error.rewritten:
            raise LedgerError(f"{where} was edited: {error}. {_AGAIN}") from None
        at = error.at or "it"
        raise LedgerError(
            f"{where} is no {kind.__name__} of this version ({at}: {error.reason}). {_AGAIN}"
        ) from None
