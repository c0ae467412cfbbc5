"""What a terminal shows of long work: one line a task, with rate and time left."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

errors = Console(stderr=True, highlight=False, soft_wrap=True)


class ProgressWatch:
    """Shows a run's tasks as bars on standard error; plain lines where that is no terminal."""

    def __init__(self) -> None:
        self._live = errors.is_terminal
        self._tasks: dict[str, TaskID] = {}
        self._totals: dict[str, int] = {}
        self._bars = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(compact=True),
            console=errors,
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
        self._totals[task] = total
        self._tasks[task] = self._bars.add_task(task, total=total, rate="")
        if not self._live:
            errors.print(f"{task} ...")

    def advance(self, task: str, done: int) -> None:
        """So many of its steps are done."""
        known = self._bars.tasks[self._tasks[task]]
        speed = f"{known.speed:5.1f}/s" if known.speed else ""
        self._bars.update(self._tasks[task], completed=done, rate=speed)
        if not self._live and done == self._totals[task]:
            errors.print(f"{task}: {done}/{self._totals[task]} done")
