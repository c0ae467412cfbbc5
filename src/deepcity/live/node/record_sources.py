"""Where an agency's records come from: its sources as they grow, or recorded days played again."""

from dataclasses import dataclass, replace
from typing import Protocol

from deepcity.data.city_file import CityFile, load_panel
from deepcity.data.follow.follow_source import SourceFollower
from deepcity.data.panel import Panel


class RecordSource(Protocol):
    """An agency's records, as far as they are known."""

    def poll(self, now_s: int) -> Panel | None:
        """Steps that are over at a time (UTC seconds), with all new ones; None if none is new.

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
        """All its sources hold, whenever that has changed or a step is over."""
        found = self.follower.poll()
        self._last = found or self._last
        if self._last is None:
            return None
        end_s = _end_s(self._last, now_s)
        if found is None and end_s <= self._shown_s:
            return None
        self._shown_s = end_s
        return _part(self._last, 0, end_s)

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
        """The steps that are over by then and were not given before."""
        if self._whole is None:
            self._whole = load_panel(self.city_file, self.agency)
        end_s, shown_s = _end_s(self._whole, now_s), self._shown_s
        if end_s <= shown_s:
            return None
        self._shown_s = end_s
        return _part(self._whole, shown_s, end_s)

    def close(self) -> None:
        """Forget the records."""
        self._whole = None


def _part(panel: Panel, start_s: int, end_s: int) -> Panel:
    """The steps that start in [start_s, end_s), in arrays of their own."""
    found = panel.between(start_s, end_s)
    return replace(found, time_T=found.time_T.copy(), values_TNF=found.values_TNF.copy())


def _end_s(panel: Panel, now_s: int) -> int:
    """The end of the last step of a panel that is over at a time."""
    if not len(panel.time_T):
        return 0
    first, step_s = int(panel.time_T[0]), panel.clock.step_s
    over = (now_s - first) // step_s
    return first + max(0, min(over, len(panel.time_T))) * step_s
