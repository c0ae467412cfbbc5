"""A site's release ledger: one file to which entries are appended, each batch under a signed head.

A batch is written and on the disk (fsync) before what it records leaves: nothing leaves without an
entry. A kill between the two leaves an entry of what may not have left. A round that is repeated
after a crash is recorded again, for it left twice; the same SHA-256 shows that it was the same.

A kill in the middle of a line leaves a torn end. It was never answered for, so the next writer cuts
it and names it in its log. Entries of a torn batch that are whole stay, and the next head signs
them.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from filelock import FileLock

from deepcity.city.errors import LedgerError
from deepcity.store.atomic import write_error_text
from deepcity.store.release_ledger.heads import SignedHead, TreeHead, signed_head
from deepcity.store.release_ledger.lines import head_of, read_lines
from deepcity.store.release_ledger.merkle import Frontier, leaf_hash
from deepcity.store.release_ledger.release import Entry, Record
from deepcity.store.signatures.ed25519 import public_hex

RELEASES, LOCK = "releases.jsonl", ".lock"
_BEGINS = b'{"'
_log = logging.getLogger(__name__)


@dataclass
class ReleaseLedger:
    """The ledger of one party.

    Attributes:
        path: of the file; made with the first entry.
        name: of the ledger: the party's.
        key: signs its heads; it never leaves the site.
        clock: UTC seconds.
    """

    path: Path
    name: str
    key: Ed25519PrivateKey = field(repr=False)
    clock: Callable[[], float] = time.time
    head: SignedHead | None = None
    _tree: Frontier = field(default_factory=Frontier, repr=False)
    _end: int = -1  # bytes of the file as this writer knows it; -1: not read yet
    _lock: RLock = field(default_factory=RLock, repr=False)

    def record(self, records: Sequence[Record]) -> SignedHead:
        """Append what is about to leave, to be deleted or to be done, and sign the new head; on the
        disk when this returns.

        Raises:
            LedgerError: if it cannot be written, or what is there does not fit its last head.
                Nothing may leave, be deleted or be done then.
        """
        with self._alone():
            return self._append(records)

    def _append(self, records: Sequence[Record]) -> SignedHead:
        """Append entries and a head; nobody else writes meanwhile."""
        self._follow()
        self._end = -1  # until it is written: who is interrupted reads the file again
        now, tree = int(self.clock()), self._tree
        lines = [
            Entry.of(tree.size + number, record, now).to_line()
            for number, record in enumerate(records)
        ]
        for line in lines:
            tree.append(leaf_hash(line))
        head = TreeHead(ledger=self.name, size=tree.size, root=tree.root().hex(), time_s=now)
        signed = signed_head(head, self.key)
        data = b"".join(line + b"\n" for line in (*lines, signed.to_line()))
        self._write(data)
        self.head = signed
        return signed

    def signed(self) -> SignedHead | None:
        """The newest head; None where nothing was recorded yet.

        Raises:
            LedgerError: if the file cannot be read, or was edited.
        """
        if not self.path.exists():
            return None
        with self._alone():
            self._follow()
            if self._tree.size and (self.head is None or self.head.head.size < self._tree.size):
                return self._append([])  # entries of a torn batch
            return self.head

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other thread or process reads a line that is half written, or writes one."""
        file_lock = FileLock(self.path.with_suffix(LOCK))
        with self._lock:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                file_lock.acquire()
            except OSError as error:
                raise LedgerError(write_error_text(self.path, error, 0)) from error
            try:
                yield
            finally:
                file_lock.release()

    def _follow(self) -> None:
        """Read the file anew if it is not as this writer left it; cut a torn end."""
        size = self.path.stat().st_size if self.path.exists() else 0
        if size == self._end:
            return
        self._tree, self._end, self.head = Frontier(), -1, None
        end = 0
        for line in read_lines(self.path) if size else ():
            if line.too_long:
                raise self._edited(f"line {line.number} is longer than any of ours")
            if not line.whole:
                if not (line.data.startswith(_BEGINS) or _BEGINS.startswith(line.data)):
                    raise self._edited(f"line {line.number} is no line of a ledger")
                self._cut(line.start, line.number, len(line.data))
                break
            end = line.start + len(line.data) + 1
            if line.is_head:
                self._check(line.data, line.number)
            else:
                self._tree.append(leaf_hash(line.data))
        if self.head is not None:
            self._check_owner(self.head)
        self._end = end

    def _check_owner(self, last: SignedHead) -> None:
        """See that the ledger is this party's, under this key."""
        own = public_hex(self.key)
        if last.head.ledger != self.name:
            raise self._edited(f"it is the ledger of {last.head.ledger}, not of {self.name}")
        if last.key != own:
            raise LedgerError(
                f"{self.path}: its heads are signed with {last.key[:16]}, and this site's key is "
                f"{own[:16]}. Put the key file back that it had; nothing leaves under another"
            )
        if not last.is_genuine():
            raise self._edited("the signature of its last head is wrong")

    def _check(self, data: bytes, number: int) -> None:
        """See that the entries so far are those of a head."""
        found = head_of(data)
        if isinstance(found, str):
            raise self._edited(f"line {number} is no head: {found}")
        if (found.head.size, found.head.root) != (self._tree.size, self._tree.root().hex()):
            raise self._edited(f"the entries before line {number} do not fit the head there")
        self.head = found

    def _cut(self, start: int, number: int, size: int) -> None:
        _log.warning(
            "%s: line %d was torn after %d bytes, by a kill while it was written; it is cut, for "
            "what it records has not left",
            self.path,
            number,
            size,
        )
        try:
            with self.path.open("r+b") as file:
                file.truncate(start)
                os.fsync(file.fileno())
        except OSError as error:
            raise LedgerError(write_error_text(self.path, error, 0)) from error

    def _write(self, data: bytes) -> None:
        begun = not self.path.exists()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                self._end = file.tell()
            if begun and os.name != "nt":
                folder = os.open(self.path.parent, os.O_RDONLY)
                try:
                    os.fsync(folder)
                finally:
                    os.close(folder)
        except OSError as error:
            self._end = -1  # whatever is there is read again
            raise LedgerError(write_error_text(self.path, error, len(data))) from error

    def _edited(self, what: str) -> LedgerError:
        return LedgerError(
            f"{self.path}: {what}. The record of what left was edited or damaged, and nothing "
            f"leaves until it is whole: see `deepcity ledger verify {self.path}`, and put back a "
            f"copy"
        )
