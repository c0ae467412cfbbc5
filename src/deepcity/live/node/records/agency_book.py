"""Each agency's records as a node knows them: taken up at a start, and as rows come.

The events are what counts; a snapshot of each panel beside them makes a start short.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Self

from deepcity.data.panel import Panel
from deepcity.live.node.records.agency_records import (
    changed_rows,
    folded_onto,
    merged,
    rows_events,
    with_places,
)
from deepcity.live.node.records.panel_snapshots import PanelSnapshots
from deepcity.live.node.records.source_status import RecordSummary
from deepcity.store.events.event import Event, EventDraft, EventKind, EventQuery
from deepcity.store.events.event_store import EventStore, read_pages

MOST_BEHIND = 256
"""Events that a snapshot may lack before another is made."""
_PAGE = 16  # events in memory at once: one holds at most 16 MB of values
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class RecordsNow:
    """An agency's records as they are now.

    Attributes:
        panel: its records; no step before the first have come.
        summary: of them.
        trouble: what prevents its source from being read; empty: nothing.
    """

    panel: Panel
    summary: RecordSummary
    trouble: str = ""

    @classmethod
    def of(cls, panel: Panel) -> Self:
        """With these records, and no trouble."""
        return cls(panel, RecordSummary.of(panel))


@dataclass(frozen=True)
class _Behind:
    """How far an agency's snapshot is behind.

    Attributes:
        events: how many it lacks.
        newest: the newest of them.
        made: whether there is a snapshot at all.
        never: none can be made: the panel has lost places that the events still know. The one
            made before goes on being right.
    """

    events: int = 0
    newest: Event | None = None
    made: bool = False
    never: bool = False

    @property
    def may(self) -> bool:
        """Whether a new one can be made, and would hold more."""
        return self.events > 0 and not self.never

    @property
    def due(self) -> bool:
        """Whether a new one should be made."""
        return self.may and (self.events > MOST_BEHIND or not self.made)


class AgencyBook:
    """The records of some agencies. One thread changes it; others may read.

    Args:
        empty: agency -> a panel without steps, of its places (none: those that its rows name),
            fields and step.
        events: where rows are kept.
        folder: for snapshots; None: none are made.
    """

    def __init__(
        self, empty: Mapping[str, Panel], events: EventStore, folder: Path | None = None
    ) -> None:
        self._empty, self._events = dict(empty), events
        self._snapshots = None if folder is None else PanelSnapshots(folder)
        self._now = {name: RecordsNow.of(panel) for name, panel in self._empty.items()}
        self._behind = {name: _Behind() for name in self._now}

    def __getitem__(self, agency: str) -> RecordsNow:
        return self._now[agency]

    def get(self, agency: str) -> RecordsNow | None:
        """An agency's records; None if it is none of these."""
        return self._now.get(agency)

    def resume(self) -> None:
        """Take up what snapshots and events hold.

        Raises:
            DataError: if the records kept are of another step than the city file's.
            StoreError: if they cannot be read.
        """
        for agency, empty in self._empty.items():
            kept = self._snapshots and self._snapshots.load(agency, self._events, empty)
            panel, after = kept or (empty, 0)
            read = partial(self._after, agency, after)
            panel = folded_onto(panel, read, open_places=not empty.places)
            self._now[agency] = RecordsNow.of(panel)
            rows = EventQuery((EventKind.ROWS,), party=agency, after=after, data=False)
            later = self._events.read(replace(rows, newest=True, limit=MOST_BEHIND + 1))
            newest = later[0] if later else None
            self._behind[agency] = _Behind(len(later), newest, made=kept is not None)
        self.save()

    def drafts(self, agency: str, found: Panel, now_s: int) -> tuple[list[EventDraft], RecordsNow]:
        """The events that keep what a panel has that is new, and the records with it."""
        known = self._now[agency].panel
        before = with_places(known, found.places)
        if {one.id for one in known.places} - {one.id for one in found.places}:
            self._behind[agency] = replace(self._behind[agency], never=True)
        drafts = rows_events(agency, found, changed_rows(before, found), now_s)
        return drafts, RecordsNow.of(merged(before, found))

    def set(self, agency: str, now: RecordsNow) -> None:
        """Let records be those of now."""
        self._now[agency] = now

    def fail(self, agency: str, trouble: str) -> None:
        """Records stay as they are; their source cannot be read."""
        self._now[agency] = replace(self._now[agency], trouble=trouble)

    def kept(self, agency: str, stored: Sequence[Event]) -> None:
        """Events of an agency's rows are stored, and its records are those with them."""
        if stored:
            behind = self._behind[agency]
            count = behind.events + len(stored)
            self._behind[agency] = replace(behind, events=count, newest=stored[-1])

    def save(self, *, all_of_them: bool = False) -> None:
        """Make the snapshots that are due; one that cannot be written is reported in the log.

        Args:
            all_of_them: also those that are behind by less.
        """
        if self._snapshots is None:
            return
        for agency, behind in self._behind.items():
            if behind.newest is None or not (behind.due or (all_of_them and behind.may)):
                continue
            try:
                self._snapshots.save(agency, self._now[agency].panel, behind.newest)
                self._behind[agency] = replace(behind, events=0, made=True)
            except OSError as error:
                _log.warning("the snapshot of %s cannot be written: %s", agency, error)

    def _after(self, agency: str, after: int, data: bool) -> Iterable[Event]:
        query = EventQuery((EventKind.ROWS,), party=agency, after=after, data=data)
        return read_pages(self._events, query, _PAGE)
