"""Asks for a feed again and again, in a thread of its own."""

import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from deepcity.data.connectors import connectors
from deepcity.data.errors import ReadError
from deepcity.data.feeds.polled import PolledConnector, PolledSettings, Row
from deepcity.live.feeds.keep_rows import keep_rows
from deepcity.live.feeds.row_door import RowDoor

_RETRY_S = 15.0


@dataclass
class Poller:
    """One source's requests; use `start_poller`.

    Attributes:
        source: its settings.
        door: takes the rows.
        folder: of the city file.
    """

    source: PolledSettings
    door: RowDoor
    folder: Path
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _trouble: str = "it was not asked yet"
    _refusal: str = ""
    _since_s: float = 0.0

    @property
    def trouble(self) -> str:
        """As in the contract of collectors."""
        return "; ".join(one for one in (self._trouble, self._refusal) if one)

    def start(self) -> None:
        """Ask, and go on until `close`."""
        self._thread = threading.Thread(target=self._go_on, name="feed", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """As in the contract of collectors; a request under way is not waited for to its end."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(1)

    def poll(self) -> None:
        """Ask once."""
        connector = connectors()[self.source.format]
        assert isinstance(connector, PolledConnector)
        self._refusal = ""
        try:
            rows = connector.snapshot(self.source, self.folder, self._since_s)
            if not self._stop.is_set():
                keep_rows(self.door, rows, self._refuse)
        except ReadError as error:
            self._trouble = f"{error.key} = {error.value!r}: {error.reason}. {error.right}"
        except OSError as error:
            self._trouble = f"rows cannot be stored: {error}"
        else:
            self._trouble, self._since_s = "", max([self._since_s, *map(self._seconds, rows)])

    def _seconds(self, row: Row) -> float:
        assert self.source.time is not None
        return datetime.fromisoformat(row[self.source.time.names[0]]).timestamp()

    def _refuse(self, text: str) -> None:
        self._refusal = f"a row was refused: {text[:500]}"

    def _go_on(self) -> None:
        while not self._stop.is_set():
            begun, every_s = time.monotonic(), self.source.every.total_seconds()
            try:
                self.poll()
            except Exception as error:  # a fault of one feed must not end its thread
                self._trouble = f"it cannot be read: {type(error).__name__}: {error}"
            pause_s = min(every_s, _RETRY_S) if self._trouble else every_s
            self._stop.wait(max(0.0, begun + pause_s - time.monotonic()))


def start_poller(source: PolledSettings, door: RowDoor, folder: Path) -> Poller:
    """Ask for a source's feed in a thread of its own."""
    found = Poller(source, door, folder)
    found.start()
    return found
