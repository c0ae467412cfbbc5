"""An agency's side of the live path: new rows are encoded, and what they say is put to be sent.

A time is spoken of when the rows before it are there: all cells that spoke a step ago speak
again, or some patience has passed. It is spoken of again only where the agency corrects rows
(or late ones come) that what was said was made from: as a revision, with what changed alone.
A restart neither loses nor doubles a row.

Shapes: B times, C cells.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deepcity.city.arrays import Ints
from deepcity.data.panel import Panel
from deepcity.exchange.deep_wire import batch_of, cell_names, pack_deep, revised_of
from deepcity.exchange.spoken import Spoken, Touched
from deepcity.exchange.too_new import Arrivals
from deepcity.learning.columns import Columns
from deepcity.learning.encoder_package import EncoderPackage
from deepcity.privacy.deep_grant import DeepGrant
from deepcity.store.deep_data import DeepData
from deepcity.store.outbox import Draft, Outbox

PARCEL_ROWS = 4000
"""No parcel holds more."""

FIRST_S = 86_400
"""How far back an agency that never spoke begins."""


@dataclass(frozen=True)
class Encoded:
    """What came of looking at new rows.

    Attributes:
        rows: deep data put to be sent.
        until: the newest time spoken of; None: none yet.
        revised: deep data put to be sent in place of others, after a correction.
        doubt: why the clock of the rows seems to be ahead, as long as it does; empty: it is not.
    """

    rows: int
    until: int | None
    revised: int = 0
    doubt: str = ""


@dataclass(frozen=True)
class LiveAgency:
    """Encodes one agency's new rows into its outbox.

    Attributes:
        grant: if given, checked before anything is put.
        since: where an agency that never spoke begins; None: a day before its newest row.
        patience_s: how long a cell that is late is waited for; None: half a step of the grid.
        look_back_s: of times older than so many seconds no correction is sent; None: as far
            as the encoder looks back.
        at_once: rows of a step are there as soon as it begins: events, counted as they happen.
    """

    package: EncoderPackage
    outbox: Outbox
    grant: DeepGrant | None = None
    since: int | None = None
    patience_s: int | None = None
    look_back_s: int | None = None
    at_once: bool = False

    @property
    def mark(self) -> str:
        """Under which the outbox remembers the newest time spoken of."""
        return str(self.package.space)

    def waits(self, now: int) -> bool:
        """Whether there is an agreed time that was not spoken of yet."""
        after = self.outbox.mark(self.mark)
        return after is None or self.package.facts.grid.last(now) > after

    def look_at(self, panel: Panel, now: int) -> Encoded:
        """Encode every time of the grid that rows have come for, up to now, and corrections.

        Raises:
            LayerPackageError: if the panel is not what the encoder learned.
            GrantError: if what it says may not leave.
            OutboxFullError: if too much waits; what was put before stays.
        """
        shape = self.package.encoder.shape
        if self.grant is not None:
            self.grant.check(self.package.facts.service, shape.level, shape.deep)
        columns = self.package.look_at(panel)
        times_B, rows = self._times(columns, now), 0
        for some in self._chunks(len(times_B)):
            rows += self._put(columns, times_B[some])
        touched = self._spoken.touched(columns)
        revised = 0 if touched is None else self._revise(columns, touched, now)
        until = self.outbox.mark(self.mark)
        if (rows or revised) and until is not None:
            self._spoken.forget(columns, until)
        return Encoded(rows, until, revised, self._arrivals.look_at(panel, now))

    @cached_property
    def _spoken(self) -> Spoken:
        whole = self.package.steps_back * self.package.facts.step_s
        look_back = whole if self.look_back_s is None else self.look_back_s
        return Spoken(self.package, self.outbox, look_back)

    @cached_property
    def _arrivals(self) -> Arrivals:
        return Arrivals(self.package, self.outbox, self.at_once)

    def _chunks(self, times: int) -> list[slice]:
        size = max(1, PARCEL_ROWS // len(self.package.cells))
        return [slice(start, start + size) for start in range(0, times, size)]

    def _put(self, columns: Columns, times_B: Ints) -> int:
        said = self.package.say(columns, times_B)
        batch = batch_of(self.package.space, cell_names(self.package.cells), times_B, said)
        notes = self._spoken.noted(columns, times_B, said)
        self.outbox.put_all(self._drafts(batch, 0), {self.mark: int(times_B[-1])}, notes)
        return len(batch)

    def _revise(self, columns: Columns, touched: Touched, now: int) -> int:
        """Say otherwise what a correction changed.

        A revision is the moment it is made, or one more than the last: so it rises even where
        the outbox was lost, or the clock was set back.
        """
        cells, counter, rows = cell_names(self.package.cells), f"{self.mark}/revision", 0
        for some in self._chunks(len(touched.times_B)):
            times_B = touched.times_B[some]
            said = self.package.say(columns, times_B)
            changed_BC = touched.changed(some, said)
            if changed_BC.any():
                batch = revised_of(self.package.space, cells, times_B, said, changed_BC)
                revision = max(now, (self.outbox.mark(counter) or 0) + 1)
                kept = touched.replaced(some, said, changed_BC)
                notes = self._spoken.revised(columns, times_B, kept)
                self.outbox.put_all(self._drafts(batch, revision), {counter: revision}, notes)
                rows += len(batch)
        self.outbox.put_all([], {}, touched.seen)  # last: until then they are looked at again
        return rows

    def _drafts(self, batch: DeepData, revision: int) -> list[Draft]:
        parts = [slice(start, start + PARCEL_ROWS) for start in range(0, len(batch), PARCEL_ROWS)]
        found = [batch[part] for part in parts]
        return [Draft(self.mark, len(one), pack_deep(one), revision) for one in found]

    def _times(self, columns: Columns, now: int) -> Ints:
        grid, known_TC = self.package.facts.grid, columns.known_TC
        spoken = np.flatnonzero(known_TC.any(axis=1))
        if not len(spoken):
            return np.zeros(0, np.int64)
        rows = int(spoken[-1]) + 1
        until = self._until(columns, rows)
        patience = grid.step_s // 2 if self.patience_s is None else self.patience_s
        missing = rows > 1 and bool((known_TC[rows - 2] & ~known_TC[rows - 1]).any())
        if missing and now < self._until(columns, rows - 1) + 1 + patience:
            until = self._until(columns, rows - 1)
        until = min(until, now)
        after = self.outbox.mark(self.mark)
        if after is None:
            after = (grid.last(until) - FIRST_S if self.since is None else self.since) - 1
            after = max(after, int(columns.time_T[0]) - 1)  # before its rows nothing is known
        return grid.between(after, until)

    def _until(self, columns: Columns, rows: int) -> int:
        """The last second at which no more than these rows are looked at as recent ones."""
        step_s = columns.clock.step_s
        return int(columns.time_T[0]) + (rows + columns.settings.lag + 1) * step_s - 1
