"""An agency's side of live operation: encodes new rows and puts the deep data into its outbox.

A time is encoded once the rows before it are there: all cells with a row in the step before have
one again, or the late wait is over. It is encoded again only if the agency corrects (or receives
late) rows that its deep data were made from; the changes are sent as a revision. A restart neither
loses nor duplicates a row.

Shapes: B times, C cells.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deepcity.city.arrays import Ints
from deepcity.data.panel import Panel
from deepcity.learning.features.agency_columns import Columns
from deepcity.learning.split.encoder_package import EncoderPackage
from deepcity.learning.split.fusion_inputs import DeepBatch
from deepcity.live.clock_check import ArrivalLog
from deepcity.live.releases.last_sent import LastSent
from deepcity.live.revisions import Correction, RevisionLog
from deepcity.live.wire import cell_names, pack_deep, revision_rows, to_rows
from deepcity.privacy.deep_grant import DeepGrant
from deepcity.store.deep_data.batch import DeepData
from deepcity.store.outbox import Draft, Outbox

PARCEL_ROWS = 4000
"""Largest number of rows in a parcel."""

FIRST_S = 86_400
"""How far back an agency that has sent nothing yet begins, in seconds."""


@dataclass(frozen=True)
class EncodeResult:
    """Outcome of encoding new rows.

    Attributes:
        rows: deep data rows put into the outbox.
        until: the newest time encoded; None: none yet.
        revised: rows put into the outbox to replace others, after a correction.
        clock_warning: why the clock of the records seems to be ahead; empty: it does not.
    """

    rows: int
    until: int | None
    revised: int = 0
    clock_warning: str = ""


@dataclass(frozen=True)
class LiveAgency:
    """Encodes one agency's new rows into its outbox.

    Attributes:
        grant: if given, checked before anything is put into the outbox.
        policy: if given, asked then too; it raises GrantError.
        since: where an agency that has sent nothing yet begins; None: a day before its newest
            row.
        late_wait_s: how long to wait for late cells; None: half a step of the grid.
        revision_window_s: corrections are sent for times up to this many seconds old; None: as
            far back as the encoder's window.
        at_once: rows of a step exist as soon as it begins: events, counted as they happen.
    """

    package: EncoderPackage
    outbox: Outbox
    grant: DeepGrant | None = None
    since: int | None = None
    late_wait_s: int | None = None
    revision_window_s: int | None = None
    at_once: bool = False
    policy: Callable[[], object] | None = None

    @property
    def cursor(self) -> str:
        """The outbox's key for the newest time encoded."""
        return str(self.package.space)

    def has_due_time(self, now: int) -> bool:
        """Whether a time of the grid has passed that was not encoded yet."""
        after = self.outbox.cursor(self.cursor)
        return after is None or self.package.facts.grid.last(now) > after

    def encode_new(self, panel: Panel, now: int) -> EncodeResult:
        """Encode every time of the grid with new rows, up to now, and corrections.

        Raises:
            LayerPackageError: if the panel does not fit the encoder.
            GrantError: if grant or policy do not allow its deep data to leave.
            OutboxFullError: if the outbox is full; what it holds is kept.
        """
        shape = self.package.encoder.shape
        if self.grant is not None:
            self.grant.check(self.package.facts.service, shape.level, shape.width)
        if self.policy is not None:
            self.policy()
        columns = self.package.to_columns(panel)
        times_B, rows = self._times(columns, now), 0
        for some in self._chunks(len(times_B)):
            rows += self._put(columns, times_B[some])
        correction = self._revision_log.find_correction(columns)
        revised = 0 if correction is None else self._revise(columns, correction, now)
        until = self.outbox.cursor(self.cursor)
        if (rows or revised) and until is not None:
            self._revision_log.forget(columns, until)
        return EncodeResult(rows, until, revised, self._arrivals.check(panel, now))

    @cached_property
    def _revision_log(self) -> RevisionLog:
        whole = self.package.steps_back * self.package.facts.step_s
        window_s = whole if self.revision_window_s is None else self.revision_window_s
        return RevisionLog(self.package, self.outbox, window_s)

    @cached_property
    def _last_sent(self) -> LastSent:
        return LastSent(self.package.facts.defences)

    @cached_property
    def _arrivals(self) -> ArrivalLog:
        return ArrivalLog(self.package, self.outbox, self.at_once)

    def _chunks(self, times: int) -> list[slice]:
        size = max(1, PARCEL_ROWS // len(self.package.cells))
        return [slice(start, start + size) for start in range(0, times, size)]

    def _put(self, columns: Columns, times_B: Ints) -> int:
        encoded = self.package.encode_columns(columns, times_B)
        held, sends_BC = self._last_sent.select(encoded, times_B)
        cells, sent = cell_names(self.package.cells), DeepBatch(held.vectors_BCD, sends_BC)
        batch = to_rows(self.package.space, cells, times_B, sent)
        notes = self._revision_log.new_notes(columns, times_B, held)
        self.outbox.put(self._drafts(batch, 0), {self.cursor: int(times_B[-1])}, notes)
        return len(batch)

    def _revise(self, columns: Columns, correction: Correction, now: int) -> int:
        """Put what a correction changed into the outbox; returns the number of rows.

        A revision's number is the current time, or one more than the last: so it rises even if
        the outbox was lost or the clock was set back.
        """
        cells, counter, rows = cell_names(self.package.cells), f"{self.cursor}/revision", 0
        for some in self._chunks(len(correction.times_B)):
            times_B = correction.times_B[some]
            activations = self.package.encode_columns(columns, times_B)
            changed_BC = correction.changed(some, activations)
            if changed_BC.any():
                batch = revision_rows(self.package.space, cells, times_B, activations, changed_BC)
                revision = max(now, (self.outbox.cursor(counter) or 0) + 1)
                kept = correction.merged(some, activations, changed_BC)
                notes = self._revision_log.revision_notes(columns, times_B, kept)
                self.outbox.put(self._drafts(batch, revision), {counter: revision}, notes)
                rows += len(batch)
        self.outbox.put([], {}, correction.seen)  # last: until then the correction is found again
        return rows

    def _drafts(self, batch: DeepData, revision: int) -> list[Draft]:
        parts = [slice(start, start + PARCEL_ROWS) for start in range(0, len(batch), PARCEL_ROWS)]
        found = [batch[part] for part in parts]
        return [Draft(self.cursor, len(one), pack_deep(one), revision) for one in found]

    def _times(self, columns: Columns, now: int) -> Ints:
        grid, known_TC = self.package.facts.grid, columns.known_TC
        measured = np.flatnonzero(known_TC.any(axis=1))
        if not len(measured):
            return np.zeros(0, np.int64)
        rows = int(measured[-1]) + 1
        until = self._until(columns, rows)
        wait_s = grid.step_s // 2 if self.late_wait_s is None else self.late_wait_s
        missing = rows > 1 and bool((known_TC[rows - 2] & ~known_TC[rows - 1]).any())
        if missing and now < self._until(columns, rows - 1) + 1 + wait_s:
            until = self._until(columns, rows - 1)
        until = min(until, now)
        after = self.outbox.cursor(self.cursor)
        if after is None:
            after = (grid.last(until) - FIRST_S if self.since is None else self.since) - 1
            after = max(after, int(columns.time_T[0]) - 1)  # nothing is known before its rows
        return grid.between(after, until)

    def _until(self, columns: Columns, rows: int) -> int:
        """The last second whose window ends within the first `rows` rows."""
        step_s = columns.clock.step_s
        return int(columns.time_T[0]) + (rows + columns.settings.lag + 1) * step_s - 1
