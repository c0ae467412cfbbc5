"""Soon after its start and then once a day, a node's records are checked in a process beside it.

The node goes on meanwhile. A check that was broken off with the node is done anew at its next
start; one that dies, fails or takes too long is an event, and is not tried again that day.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deepcity.data.panel import Panel
from deepcity.live.node.checking.check_event import failed_draft
from deepcity.live.node.checking.request import CheckRequest
from deepcity.live.node.processes.request_folder import RequestFolder
from deepcity.live.node.processes.side_process import SideProcess
from deepcity.runs.records.record_doubts import newest_steps
from deepcity.store.events.event import Event, EventDraft

LIMIT_S = 1800.0
"""A check that takes longer is ended."""
_MODULE = "deepcity.live.node.checking.process"


@dataclass
class RecordChecker:
    """Starts the processes that check records. A node's step thread alone calls it.

    Attributes:
        city_file: path of the city file that describes the records.
        state: folder of the node's own files.
        report: called with a line when a check found something else than the one before.
        limit_s: a check that takes longer is ended.
    """

    city_file: Path
    state: Path
    report: Callable[[str], None] = lambda _line: None
    limit_s: float = LIMIT_S
    _process: SideProcess | None = None
    _request: CheckRequest | None = None
    _failed: str = ""
    _begun: float = 0.0
    _done: dict[str, str] = field(default_factory=dict)

    @property
    def since_s(self) -> int | None:
        """The city's time from which on it checks, UTC seconds; None: it does not."""
        return None if self._request is None else self._request.now_s

    @property
    def process_id(self) -> int | None:
        """Of the process that checks; None: there is none."""
        return None if self._process is None else self._process.process_id

    def begin(self, panels: Mapping[str, Panel], day: str, now_s: int) -> None:
        """Check records, unless those of all agencies were checked that day, or are being so.

        Args:
            panels: agency -> its records as they are known; those without a step are left out.
            day: of the city.
        """
        found = {name: panel for name, panel in panels.items() if len(panel.time_T)}
        if self._request is not None or all(self._done.get(name) == day for name in found):
            return
        self._done = dict.fromkeys(found, day)
        self._failed, self._begun = "", time.monotonic()
        self._request = CheckRequest(
            city_file=self.city_file.absolute(), agencies=tuple(found), now_s=now_s
        )
        process = SideProcess(_MODULE, self._folder.path, self.state / "check.log")
        try:
            panels = {name: newest_steps(panel) for name, panel in found.items()}
            self._folder.write(self._request, panels)
            process.start()
        except OSError as error:
            self._failed = f"the data check cannot be started: {error}"
            return
        self._process = process

    def ended(self, newest: Callable[[str], Event | None]) -> list[EventDraft] | None:
        """The events of what was found, until `forget`; None while it checks, or need not.

        Args:
            newest: gives the newest event of an agency's check; None: there is none.
        """
        if self._request is None:
            return None
        if self._process is not None and self._process.running:
            if time.monotonic() - self._begun < self.limit_s:
                return None
            self._process.end()
            self._failed = f"the data check was ended after {self.limit_s / 60:g} minutes"
        if not self._failed and (found := self._folder.events()) is not None:
            return found
        if self._process is not None and not self._failed:
            how = self._process.why_ended()
            printed = f". All it printed is in {self._process.log}" if "failed" in how else ""
            self._failed = f"the data check {how}{printed}"
        now_s = self._request.now_s
        return [
            failed_draft(name, newest(name), self._failed, now_s) for name in self._request.agencies
        ]

    def forget(self, kept: list[EventDraft]) -> None:
        """The events of a check are kept, as far as they say something new; says what."""
        for problem in dict.fromkeys(str(one.body["problem"]) for one in kept):
            agencies = [one.party for one in kept if one.body["problem"] == problem]
            if problem:
                self.report(f"Records of {', '.join(agencies)} are not checked: {problem}.")
        counts = {one.party: len(one.body["doubts"]) for one in kept if not one.body["problem"]}
        if any(counts.values()):
            shown = ", ".join(f"{count} of {name}" for name, count in counts.items() if count)
            self.report(f"Data check: doubts ({shown}) are on the page of agencies and sources.")
        self._end()

    def close(self) -> None:
        """End the process; what it would have checked is checked at the next start."""
        self._end()

    @property
    def _folder(self) -> RequestFolder:
        return RequestFolder(self.state / "check")

    def _end(self) -> None:
        if self._process is not None:
            self._process.end()
        self._folder.remove()
        self._process = self._request = None
