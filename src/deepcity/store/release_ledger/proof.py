"""Proofs from a ledger: that it holds a release, for one who has nothing but the proof's file; and
that it continues an older head, for a witness.
"""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from deepcity.city.errors import LedgerError
from deepcity.store.release_ledger.heads import (
    MOST_COSIGNATURES,
    Consistency,
    CoSignature,
    HeadSheet,
    SignedHead,
)
from deepcity.store.release_ledger.lines import entry_of, head_of, read_lines
from deepcity.store.release_ledger.merkle import (
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    proves_inclusion,
    range_hashes,
)
from deepcity.store.release_ledger.release import Entry, Path_, Strict


class ReleaseProof(Strict):
    """That a release is in the ledger whose head others co-signed.

    Attributes:
        path: hashes from the entry to the root, in hexadecimal.
    """

    kind: Annotated[str, Field(pattern=r"^deepcity release proof$")] = "deepcity release proof"
    entry: Entry
    path: Path_
    head: SignedHead
    cosignatures: Annotated[tuple[CoSignature, ...], Field(max_length=MOST_COSIGNATURES)] = ()

    def faults(self) -> list[str]:
        """All that is wrong with it; none: the entry is in the ledger, under these signatures."""
        found = HeadSheet(head=self.head, cosignatures=self.cosignatures).faults()
        state = self.head.head
        path = [bytes.fromhex(step) for step in self.path]
        root = bytes.fromhex(state.root)
        if not proves_inclusion(self.entry.leaf(), self.entry.index, state.size, path, root):
            found.append(
                f"the entry is not number {self.entry.index} of the {state.size} of "
                f"{state.ledger}'s head"
            )
        return found


def prove_release(path: Path, index: int, sheet: HeadSheet | None = None) -> ReleaseProof:
    """A proof of one entry.

    Args:
        sheet: a co-signed head; used where it is of as many entries, else the file's newest one.

    Raises:
        LedgerError: if there is no such entry, or the file does not fit the head.
    """
    if sheet is None or sheet.head.head.size <= index:
        sheet = HeadSheet(head=newest_head(path))
    state = sheet.head.head
    if not 0 <= index < state.size:
        raise LedgerError(f"{path} has entries 0 to {state.size - 1} under its head; no {index}")
    hashes = _hashes(path, inclusion_ranges(index, state.size))
    entry = entry_of(_entry_bytes(path, index))
    if isinstance(entry, str):
        raise LedgerError(f"{path}: entry {index} cannot be read: {entry}")
    found = ReleaseProof(
        entry=entry,
        path=tuple(one.hex() for one in hashes),
        head=sheet.head,
        cosignatures=sheet.cosignatures,
    )
    if faults := found.faults():
        raise LedgerError(
            f"{path} gives no proof of entry {index}: {'; '.join(faults)}. See "
            f"`deepcity ledger verify {path}`"
        )
    return found


def head_sheet(
    path: Path, sizes: Collection[int] = (), head: SignedHead | None = None
) -> HeadSheet:
    """The newest head, with proofs that it continues those of other sizes; the file's entries are
    read once for all of them.

    Args:
        head: the newest one, if the caller has it.

    Raises:
        LedgerError: if there is none.
    """
    signed = newest_head(path) if head is None else head
    size = signed.head.size
    ranges = {old: consistency_ranges(old, size) for old in sorted({*sizes}) if 0 < old <= size}
    hashes = iter(_hashes(path, [one for some in ranges.values() for one in some]))
    proofs = [
        Consistency(size=old, path=tuple(next(hashes).hex() for _ in some))
        for old, some in ranges.items()
    ]
    return HeadSheet(head=signed, consistency=tuple(proofs))


def newest_head(path: Path) -> SignedHead:
    """The last head in a ledger's file.

    Raises:
        LedgerError: if there is none, or it cannot be read.
    """
    newest = b""
    for line in read_lines(path):
        if line.is_head and line.whole:
            newest = line.data
    found = head_of(newest)
    if isinstance(found, str):
        raise LedgerError(f"{path} has no signed head: nothing was recorded there yet")
    return found


def _hashes(path: Path, ranges: list[tuple[int, int]]) -> list[bytes]:
    try:
        return range_hashes((leaf_hash(data) for data in _entry_lines(path)), ranges)
    except ValueError as error:
        raise LedgerError(
            f"{path} has fewer entries than its head: {error}. See `deepcity ledger verify {path}`"
        ) from error


def _entry_bytes(path: Path, index: int) -> bytes:
    return next((data for at, data in enumerate(_entry_lines(path)) if at == index), b"")


def _entry_lines(path: Path) -> Iterator[bytes]:
    for line in read_lines(path):
        if line.whole and not line.is_head:
            yield line.data
