"""What a terminal shows of long work: one line a task, with rate and time left."""

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

errors = Console(stderr=True, highlight=False, soft_wrap=True)

SAY_EVERY_S = 10.0


@dataclass
class _Pace:
    """How fast one task goes; what an earlier run had done counts for nothing."""

    total: int
    begun: float
    said: float
    before: int | None = None

    def rate(self, done: int, now: float) -> float:
        """Steps a second since the task began; its first report is of one step."""
        if self.before is None:
            self.before = done - 1
        return (done - self.before) / max(now - self.begun, 1e-9)


class ProgressWatch:
    """Shows a run's tasks as bars on standard error; plain lines where that is no terminal."""

    def __init__(self, console: Console = errors, say_every_s: float = SAY_EVERY_S) -> None:
        self._console, self._say_every_s = console, say_every_s
        self._live = console.is_terminal
        self._tasks: dict[str, TaskID] = {}
        self._paces: dict[str, _Pace] = {}
        self._bars = Progress(
            TextColumn("{task.description:<26}", markup=False),
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:>8}"),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            console=console,
            disable=not self._live,
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def begin(self, task: str, total: int) -> None:
        """A task starts."""
        now = time.monotonic()
        self._paces[task] = _Pace(total, now, now)
        self._tasks[task] = self._bars.add_task(task, total=total, rate="")
        if not self._live:
            self._say(f"{task} ...")

    def advance(self, task: str, done: int) -> None:
        """So many of its steps are done."""
        pace, now = self._paces[task], time.monotonic()
        rate = pace.rate(done, now)
        self._bars.update(self._tasks[task], completed=done, rate=_rate(rate))
        if self._live:
            return
        if done == pace.total:
            self._say(f"{task}: {done}/{pace.total} done in {_span(now - pace.begun)}")
        elif now - pace.said >= self._say_every_s:
            pace.said = now
            left = _span((pace.total - done) / rate)
            self._say(f"{task}: {done}/{pace.total}, {_rate(rate)}, {left} left")

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False)


def _rate(rate: float) -> str:
    """Steps a second, three digits at most.

    >>> _rate(123.4), _rate(12.34), _rate(0.123)
    ('123/s', '12.3/s', '0.12/s')
    """
    digits = 0 if rate >= 100 else 1 if rate >= 10 else 2
    return f"{rate:.{digits}f}/s"


def _span(seconds: float) -> str:
    """Minutes and seconds, as little as says it.

    >>> _span(4.2), _span(75)
    ('4 s', '1 min 15 s')
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
