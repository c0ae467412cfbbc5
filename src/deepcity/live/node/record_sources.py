"""Where an agency's records come from: its sources as they grow, or recorded days played again."""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from deepcity.data.city_file import CityFile, load_panel
from deepcity.data.follow.follow_source import SourceFollower
from deepcity.data.panel import Panel


class RecordSource(Protocol):
    """An agency's records, as far as they are known."""

    def poll(self, now_s: int) -> Panel | None:
        """All steps that are over at a time (UTC seconds); None if nothing is new.

        Raises:
            DataError: with every problem of the records.
        """
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


@dataclass
class FollowedRecords:
    """Sources that grow.

    Attributes:
        follower: of the agency.
    """

    follower: SourceFollower
    _last: Panel | None = None
    _shown_s: int = 0

    def poll(self, now_s: int) -> Panel | None:
        """Records that have come, or whose step is over since the last call."""
        found = self.follower.poll()
        self._last = found or self._last
        if self._last is None or (found is None and _end_s(self._last, now_s) <= self._shown_s):
            return None
        self._shown_s = _end_s(self._last, now_s)
        return until(self._last, now_s)

    def close(self) -> None:
        """Close all files."""
        self.follower.close()


@dataclass
class ReplayedRecords:
    """Recorded days. What lies after the time asked for leaves this object never.

    Attributes:
        city_file, agency: whose.
    """

    city_file: CityFile
    agency: str
    _whole: Panel | None = None
    _shown_s: int = 0

    def poll(self, now_s: int) -> Panel | None:
        """The records of the steps over by then."""
        if self._whole is None:
            self._whole = load_panel(self.city_file, self.agency)
        end_s = _end_s(self._whole, now_s)
        if end_s <= self._shown_s:
            return None
        self._shown_s = end_s
        return until(self._whole, now_s)

    def close(self) -> None:
        """Forget the records."""
        self._whole = None


def until(panel: Panel, now_s: int) -> Panel:
    """The steps of a panel that are over at a time, in arrays of their own."""
    count = max(0, (_end_s(panel, now_s) - int(panel.time_T[0])) // panel.clock.step_s)
    return replace(
        panel,
        time_T=panel.time_T[:count].copy(),
        values_TNF=np.array(panel.values_TNF[:count]),
    )


def _end_s(panel: Panel, now_s: int) -> int:
    """The end of the last step of a panel that is over at a time."""
    if not len(panel.time_T):
        return 0
    first, step_s = int(panel.time_T[0]), panel.clock.step_s
    over = (now_s - first) // step_s
    return first + max(0, min(over, len(panel.time_T))) * step_s
