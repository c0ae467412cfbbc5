"""What a ledger holds in all, counted by layer, receiver and service, in bounded memory.

A ledger grows at its end, so who asks again reads only what is new. Nothing is checked but the form
of each line: `deepcity ledger verify` checks the rest.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from deepcity.city.errors import LedgerError
from deepcity.store.release_ledger.lines import LedgerLine, entry_of, read_lines
from deepcity.store.release_ledger.release import (
    MOST_GRANTS,
    CountsScope,
    Entry,
    Leakage,
    Release,
    ReleaseForm,
)

MOST_KINDS = 500
"""Kinds of releases that are distinguished in one ledger; the rest is counted together."""
_LINES_A_LOOK = 1000  # between two looks at the clock


@dataclass(frozen=True)
class ReleaseKind:
    """What is counted together."""

    party: str
    receiver: str
    service: str
    layer: str
    form: ReleaseForm


@dataclass(frozen=True)
class ReleaseTotal:
    """All releases of one kind.

    Attributes:
        times, bytes: how often, and how many bytes in all.
        first_s, last_s: when it was recorded first and last, UTC seconds.
        levels: the least and the greatest level of the grants; None: it is no layer of a network.
        common_stem: whether one of these grants lets the stem leave.
        leakage: as the last of them states it; None: not measured then.
        grants: names of the policy's grants that allowed them, `MOST_GRANTS` at most.
        counts: how the last of them left, where they are counts.
        epsilon: what was spent when the last left; None: one of them left without noise.
    """

    kind: ReleaseKind
    times: int
    bytes: int
    first_s: int
    last_s: int
    levels: tuple[int, int] | None
    common_stem: bool
    leakage: Leakage | None
    grants: tuple[str, ...] = ()
    counts: CountsScope | None = None
    epsilon: str | None = None

    def plus(self, other: "ReleaseTotal") -> "ReleaseTotal":
        """Both together; the other one is the later."""
        levels = [one for total in (self, other) for one in total.levels or ()]
        return ReleaseTotal(
            self.kind,
            self.times + other.times,
            self.bytes + other.bytes,
            min(self.first_s, other.first_s),
            max(self.last_s, other.last_s),
            (min(levels), max(levels)) if levels else None,
            self.common_stem or other.common_stem,
            other.leakage or self.leakage,
            tuple(dict.fromkeys((*self.grants, *other.grants)))[:MOST_GRANTS],
            other.counts,
            other.epsilon if self.epsilon is not None else None,
        )


@dataclass
class LedgerTotals:
    """The totals of one ledger's file; threads may share them.

    Attributes:
        entries: that were read.
        unread: lines that hold no entry of this version.
        beyond: entries of kinds beyond `MOST_KINDS`.
        share: of the file that was read; 1: all of it.
    """

    path: Path
    entries: int = 0
    unread: int = 0
    beyond: int = 0
    share: float = 0.0
    _totals: dict[ReleaseKind, ReleaseTotal] = field(default_factory=dict, repr=False)
    _inode: int = -1
    _end: int = 0  # bytes read
    _changed_ns: int = -1
    _last: LedgerLine | None = field(default=None, repr=False)  # that was read
    _stopped: bool = False  # at a line that is longer than any of ours
    _lock: Lock = field(default_factory=Lock, repr=False)

    @property
    def totals(self) -> tuple[ReleaseTotal, ...]:
        """By kind, in the order in which they first left."""
        with self._lock:
            return tuple(self._totals.values())

    def follow(self, seconds: float = float("inf")) -> None:
        """Read what is new.

        Args:
            seconds: that it may take; the next call goes on. Below 0: nothing is read.

        Raises:
            LedgerError: if the file cannot be read.
        """
        with self._lock:
            try:
                state = self.path.stat()
            except OSError as error:
                raise LedgerError(
                    f"{self.path} cannot be read: {error.strerror or error}"
                ) from error
            rewritten = state.st_size == self._end and state.st_mtime_ns != self._changed_ns
            shorter = state.st_size < self._end
            if state.st_ino != self._inode or shorter or rewritten or not self._goes_on():
                self._begin(state.st_ino)
            self._changed_ns = state.st_mtime_ns
            if seconds < 0:
                self.share = self._end / state.st_size if state.st_size else 1.0
                return
            ended = self._read(time.monotonic() + seconds)
            self.share = 1.0 if ended else self._end / state.st_size

    def _begin(self, inode: int) -> None:
        self.entries = self.unread = self.beyond = self._end = 0
        self._totals, self._inode, self._last, self._stopped = {}, inode, None, False

    def _goes_on(self) -> bool:
        """Whether the last line read is still there: a removed file leaves its inode to others."""
        return self._last is None or self._last.data == next(
            (line.data for line in read_lines(self.path, self._last.start)), None
        )

    def _read(self, until_s: float) -> bool:
        """Read on; returns whether the end was reached."""
        for number, line in enumerate(read_lines(self.path, self._end), 1):
            if line.too_long or not line.whole:  # nothing is read after it; a torn end may go on
                self.unread += line.too_long and not self._stopped
                self._stopped = line.too_long
                return True
            self._end, self._last = line.start + len(line.data) + 1, line
            if not line.is_head:
                self._add(entry_of(line.data))
            if number % _LINES_A_LOOK == 0 and time.monotonic() > until_s:
                return False
        return True

    def _add(self, found: Entry | str) -> None:
        if isinstance(found, str):
            self.unread += 1
            return
        self.entries += 1
        if found.release is None:  # a deletion: nothing left
            return
        one = _total(found.release, found.time_s)
        before = self._totals.get(one.kind)
        if before is None and len(self._totals) >= MOST_KINDS:
            self.beyond += 1
            return
        self._totals[one.kind] = one if before is None else before.plus(one)


def _total(one: Release, time_s: int) -> ReleaseTotal:
    return ReleaseTotal(
        ReleaseKind(one.party, one.receiver, one.service, one.layer, one.form),
        1,
        one.bytes,
        time_s,
        time_s,
        None if one.grant is None else (one.grant.level, one.grant.level),
        one.grant is not None and one.grant.stem == "common",
        one.leakage,
        one.policy_grants or (),
        one.counts,
        one.epsilon,
    )
