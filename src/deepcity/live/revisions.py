"""Detects corrections of rows whose deep data were sent already, and what they change.

Beside its parcels an outbox keeps two kinds of notes, as far back as corrections are sent: a
short hash of each step of the agency's rows that was used, and the deep data of each time
encoded. If a step's hash has changed, the times whose window contains it are encoded again, and
deep data that differ from those sent are sent as a revision.

Shapes: T steps, B times, C cells, D deep width.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Bools, Ints
from deepcity.learning.features.agency_columns import Columns
from deepcity.learning.split.encoder_package import EncoderPackage
from deepcity.learning.split.fusion_inputs import DeepBatch
from deepcity.store.outbox import Notes, Outbox

MIN_CHANGE = 1e-5
"""Smallest change of a number that is sent again; deep data lie in -1..1."""

_GONE = b"gone"  # the hash of a step that has no row any more
_HEAD = 8  # bytes: start of the rows at the time of encoding


@dataclass(frozen=True)
class Correction:
    """The times that a correction affects.

    Attributes:
        times_B: encoded before, with a changed step in their window.
        sent: their deep data as sent.
        seen: notes to write once all of them are done.
    """

    times_B: Ints
    sent: DeepBatch
    seen: Notes

    def changed(self, rows: slice, now: DeepBatch) -> Bools:
        """Which deep data of some times differ from those sent, (B, C)."""
        before = self._before(rows)
        moved_BC = np.abs(now.vectors_BCD - before.vectors_BCD).max(axis=2) > MIN_CHANGE
        both_BC = now.known_BC & before.known_BC
        return np.asarray((now.known_BC != before.known_BC) | (both_BC & moved_BC))

    def merged(self, rows: slice, now: DeepBatch, changed_BC: Bools) -> DeepBatch:
        """Deep data of some times as sent after this revision; small changes must accumulate."""
        before = self._before(rows)
        vectors_BCD = np.where(changed_BC[..., None], now.vectors_BCD, before.vectors_BCD)
        return DeepBatch(vectors_BCD, np.where(changed_BC, now.known_BC, before.known_BC))

    def _before(self, rows: slice) -> DeepBatch:
        return DeepBatch(self.sent.vectors_BCD[rows], self.sent.known_BC[rows])


@dataclass(frozen=True)
class RevisionLog:
    """An agency's notes in its outbox.

    Attributes:
        revision_window_s: corrections are sent for times up to this many seconds old; 0: never.
    """

    package: EncoderPackage
    outbox: Outbox
    revision_window_s: int

    def new_notes(self, columns: Columns, times_B: Ints, sent: DeepBatch) -> Notes:
        """The notes to write with new deep data."""
        if not self.revision_window_s:
            return {}
        last = int(columns.step(times_B[-1:])[0])
        steps = range(max(0, last - self._steps(columns)), min(last, len(columns.time_T)))
        seen = self.outbox.notes(self._seen_key, int(columns.time_T[0]))
        found = {int(columns.time_T[step]): step for step in steps}
        fresh = {at: _hash(columns, step) for at, step in found.items() if at not in seen}
        return {self._seen_key: fresh, self._sent_key: self._notes(columns, times_B, sent)}

    def revision_notes(self, columns: Columns, times_B: Ints, sent: DeepBatch) -> Notes:
        """The notes to write with a revision."""
        return {self._sent_key: self._notes(columns, times_B, sent)}

    def find_correction(self, columns: Columns) -> Correction | None:
        """The correction since rows were last used; None if there is none."""
        if not self.revision_window_s:
            return None
        first_s, step_s = int(columns.time_T[0]), columns.clock.step_s
        seen = self.outbox.notes(self._seen_key, first_s)
        now = {at: _hash(columns, (at - first_s) // step_s) for at in seen}
        others = [at for at, note in seen.items() if now[at] != note]
        if not others:
            return None
        low, high = ((at - first_s) // step_s for at in (others[0], others[-1]))
        times_B, sent = self._sent_using(columns, low, high)
        return Correction(times_B, sent, {self._seen_key: {at: now[at] for at in others}})

    def forget(self, columns: Columns, until: int) -> None:
        """Delete notes that are too old to be needed."""
        oldest = until - self.revision_window_s
        self.outbox.forget(self._sent_key, oldest)
        self.outbox.forget(self._seen_key, oldest - columns.lookback * columns.clock.step_s)

    @property
    def _seen_key(self) -> str:
        return f"{self.package.space}/seen"

    @property
    def _sent_key(self) -> str:
        return f"{self.package.space}/sent"

    def _steps(self, columns: Columns) -> int:
        return columns.lookback + self.revision_window_s // columns.clock.step_s

    def _notes(self, columns: Columns, times_B: Ints, sent: DeepBatch) -> dict[int, bytes]:
        head = int(columns.time_T[0]).to_bytes(_HEAD, "little", signed=True)
        kept = np.where(sent.known_BC[..., None], sent.vectors_BCD, np.nan).astype("<f4")
        return {int(at): head + kept[row].tobytes() for row, at in enumerate(times_B)}

    def _sent_using(self, columns: Columns, low: int, high: int) -> tuple[Ints, DeepBatch]:
        """Times with any of some steps in their window, and their deep data as sent."""
        shape = (-1, len(self.package.cells), self.package.encoder.shape.width)
        found = dict(self._affected(columns, low, high))
        kept = np.frombuffer(b"".join(found.values()), "<f4").reshape(shape).astype(np.float32)
        known_BC = np.asarray(np.isfinite(kept).all(axis=2), np.bool_)
        sent = DeepBatch(np.nan_to_num(kept), known_BC)
        return np.array(list(found), np.int64), sent

    def _affected(self, columns: Columns, low: int, high: int) -> Iterator[tuple[int, bytes]]:
        for at, note in self.outbox.notes(self._sent_key, 0).items():
            step = int(columns.step(np.array([at]))[0])
            uses = step + columns.settings.used_ahead > low and step - columns.lookback <= high
            # rows dropped since must not look like a correction
            whole = step >= columns.lookback or columns.time_T[0] <= _head(note)
            if uses and whole:
                yield at, note[_HEAD:]


def _head(note: bytes) -> int:
    return int.from_bytes(note[:_HEAD], "little", signed=True)


def _hash(columns: Columns, step: int) -> bytes:
    """Hash of all inputs of a step."""
    if step >= len(columns.time_T):
        return _GONE
    found = hashlib.blake2b(columns.standard_TCF[step].tobytes(), digest_size=8)
    found.update(columns.known_TC[step].tobytes())
    return found.digest()
