"""Where an agency's records come from: its sources as they grow, or recorded days played again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from deepcity.city.errors import ConfigError
from deepcity.city.problem import Problem
from deepcity.data.city_file import CityFile, check_city, load_panel
from deepcity.data.findings import Finding
from deepcity.data.follow.follow_source import SourceFollower
from deepcity.data.panel import Panel


class RecordSource(Protocol):
    """An agency's records, as far as they are known."""

    @property
    def trouble(self) -> str:
        """What prevents new ones from coming, though those there can be read; empty: nothing."""
        ...

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the newest reading noticed in its rows, and their panel does not show."""
        ...

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
        coming: what prevents rows from coming to its sources; empty: nothing.
    """

    follower: SourceFollower
    coming: Callable[[], str] = str
    _last: Panel | None = None
    _shown_s: int = 0

    @property
    def trouble(self) -> str:
        """As in the contract."""
        return self.coming()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """As in the contract."""
        return self.follower.findings

    def poll(self, now_s: int) -> Panel | None:
        """All its sources hold, whenever that has changed or a step is over."""
        found = self.follower.poll()
        self._last = found or self._last
        if self._last is None:
            return None
        end_s = steps_over(self._last, now_s)
        if found is None and end_s <= self._shown_s:
            return None
        self._shown_s = end_s
        return part(self._last, 0, end_s)

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

    @property
    def trouble(self) -> str:
        """None: they are recorded."""
        return ""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """None: they are of all days, also those to come."""
        return ()

    def poll(self, now_s: int) -> Panel | None:
        """The steps that are over by then and were not given before."""
        if self._whole is None:
            self._whole = load_panel(self.city_file, self.agency)
        end_s, shown_s = steps_over(self._whole, now_s), self._shown_s
        if end_s <= shown_s:
            return None
        self._shown_s = end_s
        return part(self._whole, shown_s, end_s)

    def close(self) -> None:
        """Forget the records."""
        self._whole = None


@dataclass
class AwaitedRecords:
    """Records that are not there yet, and are followed once they are.

    Attributes:
        path: of the city file.
        agency: whose.
        follow: follows them as a city file describes them that was read when they were there.
        reason: why they cannot be read.
        coming: what prevents rows from coming to its sources; empty: nothing.
    """

    path: Path
    agency: str
    follow: Callable[[CityFile], RecordSource]
    reason: str
    coming: Callable[[], str] = str
    _found: RecordSource | None = None

    @property
    def trouble(self) -> str:
        """Why they cannot be read, and what prevents them from coming."""
        if self._found is not None:
            return self._found.trouble
        return " ".join(one for one in (self.reason, self.coming()) if one)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """As in the contract."""
        return () if self._found is None else self._found.findings

    def poll(self, now_s: int) -> Panel | None:
        """None until they are there.

        Raises:
            ConfigError: if the city file has become invalid.
            DataError: with every problem of the records.
        """
        if self._found is None:
            found, problems = check_city(self.path, lambda _, name: name == self.agency, later=True)
            if found is None:
                raise ConfigError(problems)
            if self.agency in found.awaited:
                self.reason = awaited_text(found.awaited[self.agency])
                return None
            self._found = self.follow(found)
        return self._found.poll(now_s)

    def close(self) -> None:
        """Close all files."""
        if self._found is not None:
            self._found.close()


def awaited_text(problems: Sequence[Problem]) -> str:
    """Why records cannot be read yet, in a line."""
    return " ".join(str(one) for one in problems)


def part(panel: Panel, start_s: int, end_s: int) -> Panel:
    """The steps that start in [start_s, end_s), in arrays of their own."""
    found = panel.between(start_s, end_s)
    return replace(found, time_T=found.time_T.copy(), values_TNF=found.values_TNF.copy())


def steps_over(panel: Panel, now_s: int) -> int:
    """The end of the last step of a panel that is over at a time, UTC seconds; 0: none."""
    if not len(panel.time_T):
        return 0
    first, step_s = int(panel.time_T[0]), panel.clock.step_s
    over = (now_s - first) // step_s
    return first + max(0, min(over, len(panel.time_T))) * step_s
