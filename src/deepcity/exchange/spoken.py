"""What an agency said, and from which rows: how it notices that a correction changes that.

Beside its parcels an outbox keeps two sorts of notes, both bounded by how far back corrections
are sent. Of each step of the agency's rows that was looked at: a short hash. Of each time
spoken of: what was said. Where a step's hash is another one now, the times that looked at it
are encoded again, and what comes out otherwise than it was said is to be sent as a revision.

Shapes: T steps, B times, C cells, D deep width.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Bools, Ints
from deepcity.learning.columns import Columns
from deepcity.learning.encoder_package import EncoderPackage
from deepcity.learning.hearing import DeepBatch
from deepcity.store.outbox import Notes, Outbox

LEAST_CHANGE = 1e-5
"""What is said lies in -1..1; a number that moves by no more is not sent again."""

_GONE = b"gone"  # the hash of a step that is no longer there
_HEAD = 8  # bytes: the first second of the rows that were there


@dataclass(frozen=True)
class Touched:
    """What a correction touches.

    Attributes:
        times_B: spoken of before, and looking at a step that is another one now.
        said: what was said of them.
        seen: notes to write once all of them are settled.
    """

    times_B: Ints
    said: DeepBatch
    seen: Notes

    def changed(self, rows: slice, now: DeepBatch) -> Bools:
        """(B, C) of some times: what is to be said otherwise than before."""
        before = self._before(rows)
        moved_BC = np.abs(now.vectors_BCD - before.vectors_BCD).max(axis=2) > LEAST_CHANGE
        both_BC = now.known_BC & before.known_BC
        return np.asarray((now.known_BC != before.known_BC) | (both_BC & moved_BC))

    def replaced(self, rows: slice, now: DeepBatch, changed_BC: Bools) -> DeepBatch:
        """What was said of some times, and now where that is sent: small steps must add up."""
        before = self._before(rows)
        vectors_BCD = np.where(changed_BC[..., None], now.vectors_BCD, before.vectors_BCD)
        return DeepBatch(vectors_BCD, np.where(changed_BC, now.known_BC, before.known_BC))

    def _before(self, rows: slice) -> DeepBatch:
        return DeepBatch(self.said.vectors_BCD[rows], self.said.known_BC[rows])


@dataclass(frozen=True)
class Spoken:
    """An agency's notes in its outbox.

    Attributes:
        look_back_s: of times older than so many seconds no correction is sent; 0: of none.
    """

    package: EncoderPackage
    outbox: Outbox
    look_back_s: int

    def noted(self, columns: Columns, times_B: Ints, said: DeepBatch) -> Notes:
        """The notes to put with what is said of some times."""
        if not self.look_back_s:
            return {}
        last = int(columns.step(times_B[-1:])[0])
        steps = range(max(0, last - self._steps(columns)), min(last, len(columns.time_T)))
        seen = self.outbox.notes(self._seen, int(columns.time_T[0]))
        found = {int(columns.time_T[step]): step for step in steps}
        fresh = {at: _hash(columns, step) for at, step in found.items() if at not in seen}
        return {self._seen: fresh, self._said: self._notes(columns, times_B, said)}

    def revised(self, columns: Columns, times_B: Ints, said: DeepBatch) -> Notes:
        """The notes to put with what is said otherwise of some times."""
        return {self._said: self._notes(columns, times_B, said)}

    def touched(self, columns: Columns) -> Touched | None:
        """What was corrected since it was looked at; None: nothing."""
        if not self.look_back_s:
            return None
        first_s, step_s = int(columns.time_T[0]), columns.clock.step_s
        seen = self.outbox.notes(self._seen, first_s)
        now = {at: _hash(columns, (at - first_s) // step_s) for at in seen}
        others = [at for at, note in seen.items() if now[at] != note]
        if not others:
            return None
        low, high = ((at - first_s) // step_s for at in (others[0], others[-1]))
        times_B, said = self._said_looking_at(columns, low, high)
        return Touched(times_B, said, {self._seen: {at: now[at] for at in others}})

    def forget(self, columns: Columns, until: int) -> None:
        """Let go of notes that are too old to be needed."""
        oldest = until - self.look_back_s
        self.outbox.forget(self._said, oldest)
        self.outbox.forget(self._seen, oldest - columns.reach * columns.clock.step_s)

    @property
    def _seen(self) -> str:
        return f"{self.package.space}/seen"

    @property
    def _said(self) -> str:
        return f"{self.package.space}/said"

    def _steps(self, columns: Columns) -> int:
        return columns.reach + self.look_back_s // columns.clock.step_s

    def _notes(self, columns: Columns, times_B: Ints, said: DeepBatch) -> dict[int, bytes]:
        head = int(columns.time_T[0]).to_bytes(_HEAD, "little", signed=True)
        kept = np.where(said.known_BC[..., None], said.vectors_BCD, np.nan).astype("<f4")
        return {int(at): head + kept[row].tobytes() for row, at in enumerate(times_B)}

    def _said_looking_at(self, columns: Columns, low: int, high: int) -> tuple[Ints, DeepBatch]:
        """Times whose encoder looks at any of some steps, and what was said of them."""
        shape = (-1, len(self.package.cells), self.package.encoder.shape.deep)
        found = dict(self._looking_at(columns, low, high))
        kept = np.frombuffer(b"".join(found.values()), "<f4").reshape(shape).astype(np.float32)
        known_BC = np.asarray(np.isfinite(kept).all(axis=2), np.bool_)
        said = DeepBatch(np.nan_to_num(kept), known_BC)
        return np.array(list(found), np.int64), said

    def _looking_at(self, columns: Columns, low: int, high: int) -> Iterator[tuple[int, bytes]]:
        for at, note in self.outbox.notes(self._said, 0).items():
            step = int(columns.step(np.array([at]))[0])
            looks = step + columns.settings.told_ahead > low and step - columns.reach <= high
            # rows that were let go of since must not look like a correction
            whole = step >= columns.reach or columns.time_T[0] <= _head(note)
            if looks and whole:
                yield at, note[_HEAD:]


def _head(note: bytes) -> int:
    return int.from_bytes(note[:_HEAD], "little", signed=True)


def _hash(columns: Columns, step: int) -> bytes:
    """Of all an encoder sees of a step."""
    if step >= len(columns.time_T):
        return _GONE
    found = hashlib.blake2b(columns.standard_TCF[step].tobytes(), digest_size=8)
    found.update(columns.known_TC[step].tobytes())
    return found.digest()
