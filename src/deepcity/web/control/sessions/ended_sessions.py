"""Sessions that people have logged out of: a cookie that somebody kept opens nothing any more.

A session lives in its signed cookie alone, so what has ended must be remembered until it would
have ended by itself, also over a restart:

STATE/ended-sessions.json     identity of each session -> UTC seconds after which it is forgotten
"""

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from deepcity.city.regular_file import read_bounded
from deepcity.store.atomic import write_atomic

_FILE = "ended-sessions.json"
_MOST_BYTES = 10_000_000
_log = logging.getLogger(__name__)


@dataclass
class EndedSessions:
    """Sessions that have been logged out. Threads may share it.

    Attributes:
        folder: of the node's own files; None: they are forgotten with the process.
    """

    folder: Path | None = None
    _until: dict[str, float] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        if self.folder is None:
            return
        try:
            found = json.loads(read_bounded(self.folder / _FILE, _MOST_BYTES))
            self._until = {str(name): float(until) for name, until in found.items()}
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, AttributeError) as error:
            _log.warning(
                "%s cannot be read (%s): sessions that were logged out before count again for "
                "what is left of their twelve hours. Remove session.key to end all sessions",
                self.folder / _FILE,
                error,
            )

    def __contains__(self, session: str) -> bool:
        return session in self._until

    def end(self, session: str, until: float, now: float) -> None:
        """Remember that a session has ended.

        Args:
            until: when it would have ended by itself, UTC seconds; `now` as well.
        """
        with self._lock:
            known = {name: last for name, last in self._until.items() if last > now}
            self._until = {**known, session: until}
            if self.folder is None:
                return
            try:
                write_atomic(self.folder / _FILE, json.dumps(self._until).encode(), private=True)
            except OSError as error:  # it holds in this process all the same
                _log.warning("%s cannot be written: %s", self.folder / _FILE, error)
