"""Checks of a whole ledger: every entry, every head in its file, and heads that others know of it.

All problems are found in one pass, in memory that does not grow with the file. An edit is found by
the heads after it. Entries that were cut off at the end, together with their heads, are found by
heads that others keep: so co-signed heads are handed round.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from deepcity.store.release_ledger.heads import Rewritten, SignedHead
from deepcity.store.release_ledger.lines import MOST_LINE, LedgerLine, entry_of, head_of, read_lines
from deepcity.store.release_ledger.merkle import Frontier, leaf_hash

_MOST_OF_KIND = 20
"""Findings of one kind that are named; more are counted."""


@dataclass(frozen=True)
class Misfit:
    """One thing that does not fit.

    Attributes:
        code: `form`, `order`, `root`, `signature`, `key`, `name`, `torn`, `unsigned`, `shorter`,
            `rewritten`, `uncosigned`, `cosignature`.
        text: what, with the values.
    """

    code: str
    text: str


@dataclass(frozen=True)
class KnownHead:
    """A head that somebody keeps.

    Attributes:
        where: the file or the city that has it.
    """

    signed: SignedHead
    where: str


@dataclass
class LedgerCheck:
    """What a ledger's file holds, and all that does not fit.

    Attributes:
        keys: public keys (hexadecimal) that may sign it; empty: that of its first head.
        size: entries.
        heads: signed heads.
        newest: the last head.
        evidence: of histories that were rewritten.
        uncounted: findings by code beyond those that are named.
    """

    keys: Collection[str] = ()
    size: int = 0
    heads: int = 0
    newest: SignedHead | None = None
    findings: list[Misfit] = field(default_factory=list)
    evidence: list[Rewritten] = field(default_factory=list)
    uncounted: Counter[str] = field(default_factory=Counter)
    _tree: Frontier = field(default_factory=Frontier, repr=False)
    _shift: int = 0  # of numbers against places, once entries are missing or repeated
    _fits: int = 0  # entries before which everything fits
    _misfit: bool = False

    def add(self, code: str, text: str) -> None:
        """Note a finding."""
        if sum(one.code == code for one in self.findings) < _MOST_OF_KIND:
            self.findings.append(Misfit(code, text))
        else:
            self.uncounted[code] += 1

    def entry(self, line: LedgerLine) -> None:
        """Check an entry, and add it to the tree."""
        found = entry_of(line.data)
        if isinstance(found, str):
            self.add("form", f"line {line.number} is no entry: {found}")
        elif found.index != (expected := self._tree.size + self._shift):
            self.add(
                "order",
                f"line {line.number} is entry {found.index}, not {expected}: "
                + (
                    f"{found.index - expected} before it are missing"
                    if found.index > expected
                    else "it stands there twice, or was moved"
                ),
            )
            self._shift = found.index - self._tree.size
        self._tree.append(leaf_hash(line.data))
        self.size = self._tree.size

    def head(self, line: LedgerLine) -> None:
        """Check a head against the entries before it."""
        found = head_of(line.data)
        if isinstance(found, str):
            self.add("form", f"line {line.number} is no head: {found}")
            return
        self.heads += 1
        self._check_signer(found, line.number)
        state = found.head
        if (state.size, state.root) == (self.size, self._tree.root().hex()):
            self._fits = self.size
        elif not self._misfit:
            self._misfit = True
            self.add("root", self._misfit_text(found, line.number))
        else:
            self.uncounted["root"] += 1
        self.newest = found

    def _misfit_text(self, found: SignedHead, number: int) -> str:
        size = found.head.size
        return (
            f"{_entries(self._fits, max(size, self.size))} do not fit the head in line {number}, "
            f"which is of {size} entries with root {found.head.root[:16]}; there are {self.size} "
            f"with root {self._tree.root().hex()[:16]}. All before fit"
        )

    def _check_signer(self, found: SignedHead, number: int) -> None:
        if self.newest is not None and found.head.ledger != self.newest.head.ledger:
            self.add(
                "name",
                f"the head in line {number} is of {found.head.ledger!r}, the one before of "
                f"{self.newest.head.ledger!r}",
            )
        if not self.keys:
            self.keys = (found.key,)
        if found.key not in self.keys:
            known = ", ".join(key[:16] for key in self.keys)
            self.add(
                "key",
                f"the head in line {number} is signed with {found.key[:16]}; known is {known}",
            )
        if not found.is_genuine():
            self.add("signature", f"the signature of the head in line {number} is wrong")

    def roots(self) -> bytes:
        """The root of the entries so far."""
        return self._tree.root()

    def end(self) -> None:
        """Check how the file ends."""
        signed = self.newest.head.size if self.newest is not None else 0
        if self.size > signed and not self._misfit:
            self.add(
                "unsigned",
                f"{_entries(signed, self.size)} stand under no head: the writer was stopped before "
                f"it signed; the next one signs them",
            )


def check_ledger(
    path: Path, known: Iterable[KnownHead] = (), keys: Collection[str] = ()
) -> LedgerCheck:
    """Check a ledger's file.

    Args:
        known: heads of it that others keep.
        keys: public keys (hexadecimal) that may sign it.

    Raises:
        LedgerError: if it cannot be read.
    """
    check, others = LedgerCheck(keys), [*known]
    wanted, roots = {one.signed.head.size for one in others}, {0: Frontier().root()}
    for line in read_lines(path):
        if line.too_long:
            check.add(
                "form",
                f"line {line.number} has over {MOST_LINE:,} bytes, more than any entry; nothing is "
                f"read after it",
            )
            break
        if not line.whole:
            check.add(
                "torn",
                f"line {line.number} is torn after {len(line.data)} bytes, as by a kill while it "
                f"was written; what it records has not left, and the next writer cuts it",
            )
            break
        if line.is_head:
            check.head(line)
        else:
            check.entry(line)
            if check.size in wanted:
                roots[check.size] = check.roots()
    check.end()
    for one in others:
        _check_known(check, one, roots)
    return check


def _check_known(check: LedgerCheck, one: KnownHead, roots: dict[int, bytes]) -> None:
    """Check the file against a head that somebody keeps."""
    signed, state = one.signed, one.signed.head
    if not signed.is_genuine():
        check.add(
            "signature", f"{one.where}: the signature of the head of size {state.size} is wrong"
        )
    elif check.keys and signed.key not in check.keys:
        known = ", ".join(key[:16] for key in check.keys)
        check.add(
            "key",
            f"{one.where}: the head of size {state.size} is signed with {signed.key[:16]}; known "
            f"is {known}",
        )
    elif state.size > check.size:
        check.add(
            "shorter",
            f"{one.where} keeps a signed head of {state.size} entries; the file has {check.size}: "
            f"{_entries(check.size, state.size)} were cut off",
        )
    elif roots[state.size].hex() != state.root:
        check.add(
            "rewritten",
            f"{one.where} keeps a signed head of {state.size} entries with root {state.root[:16]}; "
            f"the file's first {state.size} have root {roots[state.size].hex()[:16]}: its history "
            f"was rewritten",
        )
        if check.newest is not None:
            check.evidence.append(Rewritten(earlier=signed, later=check.newest))


def _entries(start: int, end: int) -> str:
    last = max(start, end - 1)
    return f"entry {start}" if last == start else f"entries {start} to {last}"
