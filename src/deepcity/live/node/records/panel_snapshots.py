"""Snapshots of agencies' records, so that a start need not read all events that they came by.

    FOLDER/AGENCY.npz    the panel, and which event is the newest in it

A snapshot is never needed: one that is missing, damaged, of other places, fields or step, or of an
event that the store does not hold at that place (the store was replaced), is not used, and the
panel is read from the events.
"""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from deepcity.data.panel import Panel
from deepcity.live.node.records.panel_file import PanelFileError, read_panel, write_panel
from deepcity.store.events.event import Event, EventKind, EventQuery
from deepcity.store.events.event_store import EventStore

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PanelSnapshots:
    """The snapshots of a city's agencies.

    Attributes:
        folder: that holds them.
    """

    folder: Path

    def load(self, agency: str, events: EventStore, empty: Panel) -> tuple[Panel, int] | None:
        """An agency's panel, and the number of the newest event in it; None: read the events.

        Args:
            empty: a panel of the agency without steps: of the places and fields that are meant.
                Without places, those of the snapshot are.

        Raises:
            StoreError: if the events cannot be read.
        """
        try:
            found, note = read_panel(self._path(agency))
            seq, key = int(note["seq"]), str(note["key"])
        except FileNotFoundError:
            return None
        except (OSError, PanelFileError, LookupError, TypeError, ValueError) as error:
            _log.warning("the snapshot of %s is read from events instead: %s", agency, error)
            return None
        if not _fits(found, empty) or not _holds(events, agency, seq, key):
            _log.warning("the snapshot of %s is of other records; events are read", agency)
            return None
        places = empty.places or found.places
        panel = replace(empty, places=places, time_T=found.time_T, values_TNF=found.values_TNF)
        return panel, seq

    def save(self, agency: str, panel: Panel, newest: Event) -> None:
        """Keep a panel.

        Args:
            newest: the newest event in it.

        Raises:
            OSError: if it cannot be written; the one before is kept.
        """
        bare = replace(panel, adjacency_NN=None)  # read anew from the city file's sources
        write_panel(self._path(agency), bare, {"seq": newest.seq, "key": newest.key})

    def _path(self, agency: str) -> Path:
        return self.folder / f"{agency}.npz"


def _fits(found: Panel, empty: Panel) -> bool:
    """Whether a panel is of the places (where they are named), fields and step that are meant."""
    names = [one.id for one in empty.places] or [one.id for one in found.places]
    return (
        [one.id for one in found.places] == names
        and found.fields == empty.fields
        and found.clock.step == empty.clock.step
    )


def _holds(events: EventStore, agency: str, seq: int, key: str) -> bool:
    """Whether a store has an agency's event of a number and key."""
    query = EventQuery((EventKind.ROWS,), party=agency, after=seq - 1, limit=1, data=False)
    return [(one.seq, one.key) for one in events.read(query)] == [(seq, key)]
