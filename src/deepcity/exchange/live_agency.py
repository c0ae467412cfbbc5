"""An agency's side of the live path: new rows are encoded, and what they say is put to be sent.

A time is encoded once, when the rows before it are there: all cells that spoke a step ago
speak again, or some patience has passed. What was put is never encoded again, so that a
restart neither loses nor doubles a row.

Shapes: B times, C cells.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcity.data.panel import Panel
from deepcity.exchange.deep_wire import batch_of, cell_names, pack_deep
from deepcity.learning.columns import Columns
from deepcity.learning.encoder_package import EncoderPackage
from deepcity.privacy.deep_grant import DeepGrant
from deepcity.store.outbox import Outbox

PARCEL_ROWS = 4000
FIRST_S = 86_400
"""How far back an agency that never spoke begins."""

Times = NDArray[np.int64]


@dataclass(frozen=True)
class Encoded:
    """What came of looking at new rows.

    Attributes:
        rows: deep data put to be sent.
        until: the newest time spoken of; None: none yet.
    """

    rows: int
    until: int | None


@dataclass(frozen=True)
class LiveAgency:
    """Encodes one agency's new rows into its outbox.

    Attributes:
        grant: if given, checked before anything is put.
        since: where an agency that never spoke begins; None: a day before its newest row.
        patience_s: how long a cell that is late is waited for; None: half a step of the grid.
    """

    package: EncoderPackage
    outbox: Outbox
    grant: DeepGrant | None = None
    since: int | None = None
    patience_s: int | None = None

    @property
    def mark(self) -> str:
        """Under which the outbox remembers the newest time spoken of."""
        return str(self.package.space)

    def waits(self, now: int) -> bool:
        """Whether there is an agreed time that was not spoken of yet."""
        after = self.outbox.mark(self.mark)
        return after is None or self.package.facts.grid.last(now) > after

    def look_at(self, panel: Panel, now: int) -> Encoded:
        """Encode every time of the grid that rows have come for, up to now.

        Raises:
            LayerPackageError: if the panel is not what the encoder learned.
            GrantError: if what it says may not leave.
            OutboxFullError: if too much waits; what was put before stays.
        """
        shape = self.package.encoder.shape
        if self.grant is not None:
            self.grant.check(self.package.facts.service, shape.level, shape.deep)
        columns = self.package.look_at(panel)
        times_B = self._times(columns, now)
        if not len(times_B):
            return Encoded(0, self.outbox.mark(self.mark))
        rows, size = 0, max(1, PARCEL_ROWS // len(self.package.cells))
        for start in range(0, len(times_B), size):
            rows += self._put(columns, times_B[start : start + size])
        return Encoded(rows, int(times_B[-1]))

    def _put(self, columns: Columns, times_B: Times) -> int:
        said = self.package.say(columns, times_B)
        cells = cell_names(self.package.cells)
        batch = batch_of(self.package.space, cells, times_B, said)
        marks = {self.mark: int(times_B[-1])}
        if len(batch):
            self.outbox.put(self.mark, len(batch), pack_deep(batch), marks)
        else:
            self.outbox.set_marks(marks)
        return len(batch)

    def _times(self, columns: Columns, now: int) -> Times:
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
        return grid.between(after, until)

    def _until(self, columns: Columns, rows: int) -> int:
        """The last second at which no more than these rows are looked at as recent ones."""
        step_s = columns.clock.step_s
        return int(columns.time_T[0]) + (rows + columns.settings.lag + 1) * step_s - 1
