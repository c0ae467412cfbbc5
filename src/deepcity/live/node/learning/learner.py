"""Once a day a node's forecasters learn from the days before, in a process beside the node.

The node goes on forecasting with what it has meanwhile; a forecaster that has learned is used from
the next step on. One process learns at a time. It ends with the node; what was broken off so is
learned again from the same records when the node starts. A process that dies by itself is an event,
and is not tried again before the next day.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deepcity.data.panel import Panel
from deepcity.live.node.learning.request import LearningFolder, LearningRequest
from deepcity.live.node.learning.updates import problem_event, summary_of
from deepcity.live.node.processes.side_process import SideProcess
from deepcity.runs.update.forecaster_bundle import saved_forecasters
from deepcity.store.events.event import EventDraft

_MODULE = "deepcity.live.node.learning.process"


@dataclass
class DailyLearner:
    """Starts learning processes. A node's step thread alone calls it, but for `since_s`.

    Attributes:
        folders: of runs, to which more may be added; those of vertical runs have nothing to update.
        city: name of the city whose parties learn.
        state: folder of the node's own files.
        report: called with a line when learning begins, and one when it is over.
        replayed: whether the city's days are replayed.
    """

    folders: Sequence[Path]
    city: str
    state: Path
    report: Callable[[str], None] = lambda _line: None
    replayed: bool = False
    _process: SideProcess | None = None
    _request: LearningRequest | None = None
    _failed: str = ""

    @property
    def since_s(self) -> int | None:
        """The city's time from which on it learns, UTC seconds; None: it does not."""
        return None if self._request is None else self._request.now_s

    @property
    def process_id(self) -> int | None:
        """Of the process that learns; None: there is none."""
        return None if self._process is None else self._process.process_id

    def resume(self, now_s: int) -> None:
        """Learn what was broken off; what lies after a time is of a replay that begins anew."""
        request = self._folder.request()
        if request is None or request.now_s > now_s:
            self._folder.remove()
            return
        if self._folder.events() is None:
            self._start(request)
        else:  # only to be kept
            self._request = request

    def begin(self, panels: Mapping[str, Panel], now_s: int) -> None:
        """Let forecasters learn from records; nothing is done while they do, or without any."""
        folders = tuple(folder for folder in self.folders if saved_forecasters(folder))
        if self._request is not None or not folders:
            return
        request = LearningRequest(
            city=self.city, folders=folders, now_s=now_s, replayed=self.replayed
        )
        try:
            self._folder.write(request, panels)
        except OSError as error:
            self._request = request
            self._failed = (
                f"records cannot be handed to the learning process: {error}. Free some space in "
                f"{self.state}; it learns again tomorrow"
            )
            return
        self._start(request)

    def ended(self) -> list[EventDraft] | None:
        """The events of what was learned, until `forget`; None while it learns, or need not."""
        if self._request is None:
            return None
        if self._process is not None and self._process.running:
            return None
        if (found := self._folder.events()) is not None:
            return found
        if self._process is not None:
            self._failed = self._failed or self._why(self._process)
        return [problem_event(self.city, self._failed, self._request.now_s)]

    def forget(self, kept: Sequence[EventDraft]) -> None:
        """The events of what was learned are kept; says what they come to."""
        if kept:
            self.report(summary_of(kept))
        self._end_process()
        self._folder.remove()
        self._request, self._failed = None, ""

    def close(self) -> None:
        """End the process; what it would have learned is learned at the next start."""
        self._end_process()
        self._request = None

    @property
    def _folder(self) -> LearningFolder:
        return LearningFolder(self.state / "learning")

    def _start(self, request: LearningRequest) -> None:
        self._request, self._failed = request, ""
        process = SideProcess(_MODULE, self._folder.path, self.state / "learning.log")
        try:
            process.start()
        except OSError as error:
            self._failed = f"the learning process cannot be started: {error}"
            return
        self._process = process
        when = datetime.fromtimestamp(request.now_s, UTC)
        self.report(f"Learning from the days before {when:%Y-%m-%d %H:%M} UTC, beside forecasting.")

    def _end_process(self) -> None:
        if self._process is not None:
            self._process.end()
        self._process = None

    @staticmethod
    def _why(process: SideProcess) -> str:
        """Why a process ended without a result."""
        how = process.why_ended()
        stays = "forecasters stay as they are, and learn again tomorrow"
        printed = f". All it printed is in {process.log}" if how.startswith("failed") else ""
        return f"the learning process {how}; {stays}{printed}"
