"""What a node lets be done beside its steps: forecasters learn, and records are checked.

Both are begun at the first step of a day of the city, the check also soon after a start.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from deepcity.data.panel import Panel
from deepcity.live.node.checking.check_event import changed_drafts
from deepcity.live.node.checking.checker import RecordChecker
from deepcity.live.node.learning.learner import DailyLearner
from deepcity.runs.note import Note
from deepcity.store.events.event import Event, EventDraft


@dataclass
class DailyWork:
    """Days of a city, and what is done in each. A node's step thread alone calls it.

    Attributes:
        time_zone: of the city.
        learner: lets forecasters learn from new days; None: they stay as they are.
        checker: checks records; None: they are not checked.
        checked_s: the city's time of the newest check that has ended since the start; None: none.
    """

    time_zone: str
    learner: DailyLearner | None = None
    checker: RecordChecker | None = None
    checked_s: int | None = None
    _day: str = ""

    @property
    def learning_since_s(self) -> int | None:
        """Since when forecasters learn from new days, UTC seconds; None: they do not now."""
        return None if self.learner is None else self.learner.since_s

    def resume(self, newest_s: int | None, now_s: int) -> None:
        """Go on after a stop.

        Args:
            newest_s: time of the newest event, UTC seconds; None: there is none.
        """
        self._day = "" if newest_s is None else self._day_of(newest_s)
        if self.learner is not None:
            self.learner.resume(now_s)

    def keep_results(
        self,
        keep: Callable[[Sequence[EventDraft]], object],
        newest_check: Callable[[str], Event | None],
        now_s: int,
        reading: Callable[[str], Sequence[Note] | None] = lambda _agency: None,
    ) -> None:
        """Once forecasters have learned or records were checked, keep what changed.

        Args:
            keep: stores events.
            newest_check: agency -> the newest event of its check; None: there is none.
            reading: agency -> what was wrong with rows when they were last read; None: they
                were not.
        """
        if self.learner is not None and (learned := self.learner.ended()) is not None:
            keep(learned)
            self.learner.forget(learned)
        if self.checker is not None and (found := self.checker.ended(newest_check)) is not None:
            changed = changed_drafts(found, newest_check, now_s, reading)
            keep(changed)
            self.checked_s = self.checker.since_s
            self.checker.forget(changed)

    def unfinished(self, now_s: int) -> bool:
        """Whether another day has begun, and the work of the one before is not done."""
        checking = None if self.checker is None else self.checker.since_s
        busy = self.learning_since_s is not None or checking is not None
        return busy and self._day_of(now_s) != self._day

    def begin_learning(self, panels: Mapping[str, Panel], now_s: int) -> None:
        """At the beginning of a day, let forecasters learn from the days before."""
        day = self._day_of(now_s)
        if self.learner is not None and self._day and day != self._day:
            zone = ZoneInfo(self.time_zone)
            start_s = int(datetime.fromisoformat(day).replace(tzinfo=zone).timestamp())
            known = {
                name: panel.between(int(panel.time_T[0]), start_s)
                for name, panel in panels.items()
                if len(panel.time_T)
            }
            self.learner.begin(known, now_s)
        self._day = day

    def begin_check(self, panels: Mapping[str, Panel], now_s: int) -> None:
        """Check the records of each agency that was not checked on that day."""
        if self.checker is not None:
            self.checker.begin(panels, self._day_of(now_s), now_s)

    def close(self) -> None:
        """End both; what is broken off is done at the next start."""
        if self.learner is not None:
            self.learner.close()
        if self.checker is not None:
            self.checker.close()

    def _day_of(self, second: int) -> str:
        return datetime.fromtimestamp(second, ZoneInfo(self.time_zone)).date().isoformat()
