"""What a terminal shows of long work: the whole and the task at hand, rate and time left."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from deepcity.city.progress import ProgressTask
from deepcity.cli.total_progress import TotalProgress

errors = Console(stderr=True, highlight=False, soft_wrap=True)

REPORT_EVERY_S = 10.0


@dataclass
class _Pace:
    """How fast one task goes; what an earlier run had done counts for nothing."""

    total: int
    begun: float
    last_report: float
    before: int | None = None

    def rate(self, done: int, now: float) -> float:
        """Steps a second since the task began; its first report is of one step."""
        if self.before is None:
            self.before = done - 1
        return (done - self.before) / max(now - self.begun, 1e-9)


class ProgressBars:
    """Shows a run as two bars on standard error; plain lines where that is no terminal."""

    def __init__(self, console: Console = errors, report_every_s: float = REPORT_EVERY_S) -> None:
        self._console, self._report_every_s = console, report_every_s
        self._live = console.is_terminal
        self._paces: dict[str, _Pace] = {}
        self._whole = TotalProgress()
        self._bars = Progress(
            TextColumn("{task.description:<26}", markup=False),
            BarColumn(bar_width=14),
            TextColumn("{task.fields[count]:>6} {task.fields[rate]:>8}  {task.fields[left]}"),
            console=console,
            disable=not self._live,
        )
        self._all: TaskID | None = None
        self._now: TaskID | None = None

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def plan(self, tasks: Sequence[ProgressTask]) -> None:
        """All methods there are to run."""
        self._whole.plan(tasks)
        self._all = self._bars.add_task("methods", total=1.0, count="", rate="", left="")
        self._show_whole(time.monotonic())

    def skip(self, task: str) -> None:
        """One of them will not be run after all."""
        self._whole.skip(task)
        self._show_whole(time.monotonic())

    def begin(self, task: str, total: int) -> None:
        """A task starts; its bar takes the place of the one before."""
        now = time.monotonic()
        self._paces[task] = _Pace(total, now, now)
        self._whole.begin(task, now)
        if self._now is not None:
            self._bars.remove_task(self._now)
        self._now = self._bars.add_task(task, total=total, count=f"0/{total}", rate="", left="")
        self._show_whole(now)
        if not self._live:
            self._print_line(f"{task} ...")

    def advance(self, task: str, done: int) -> None:
        """So many of its steps are done."""
        pace, now = self._paces[task], time.monotonic()
        self._whole.advance(task, done)
        rate = pace.rate(done, now)
        left = _span((pace.total - done) / rate)
        if self._now is not None:
            count = f"{done}/{pace.total}"
            self._bars.update(
                self._now, completed=done, count=count, rate=_rate(rate), left=f"{left} left"
            )
        self._show_whole(now)
        if self._live:
            return
        if done == pace.total:
            took = _span(now - pace.begun)
            self._print_line(f"{task}: {done}/{pace.total} done in {took}{self._whole_text(now)}")
        elif now - pace.last_report >= self._report_every_s:
            pace.last_report = now
            last_report = f"{task}: {done}/{pace.total}, {_rate(rate)}, {left} left"
            self._print_line(f"{last_report}{self._whole_text(now)}")

    def _show_whole(self, now: float) -> None:
        if self._all is None:
            return
        whole, rate, left = self._whole, self._whole.rate(now), self._whole.seconds_left(now)
        self._bars.update(
            self._all,
            completed=whole.share,
            count=f"{whole.methods}/{len(whole.tasks)}",
            rate="" if rate is None else _rate(rate, "min"),
            left="" if left is None else f"{_span(left)} left",
        )

    def _whole_text(self, now: float) -> str:
        """Where the whole run stands, for a plain line; empty where nothing was planned."""
        whole, rate, left = self._whole, self._whole.rate(now), self._whole.seconds_left(now)
        if rate is None or left is None:
            return ""
        methods = f"{whole.methods}/{len(whole.tasks)} methods"
        return f" ({methods}, {_rate(rate, 'min')}, {_span(left)} left)"

    def _print_line(self, line: str) -> None:
        self._console.print(line, markup=False)


def _rate(rate: float, unit: str = "s") -> str:
    """Steps a second (or minute), three digits at most.

    >>> _rate(123.4), _rate(12.34), _rate(0.123, "min")
    ('123/s', '12.3/s', '0.12/min')
    """
    digits = 0 if rate >= 100 else 1 if rate >= 10 else 2
    return f"{rate:.{digits}f}/{unit}"


def _span(seconds: float) -> str:
    """Minutes and seconds, as little as says it.

    >>> _span(4.2), _span(75)
    ('4 s', '1 min 15 s')
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
