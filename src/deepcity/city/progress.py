"""Who watches long work advance: tasks planned, begun and done.

A task's cost is in rows trained on, so that a listener can tell how much of the whole is
done although methods and services differ in size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class ProgressTask:
    """A method of a service: how it is called, its steps, and its cost in rows trained on."""

    name: str
    steps: int
    cost: float


class ProgressListener(Protocol):
    """Who wants to see a run advance."""

    def plan(self, tasks: Sequence[ProgressTask]) -> None:
        """All methods that will be run, in their order."""
        return

    def skip(self, task: str) -> None:
        """A planned method will not be run after all."""
        return

    def begin(self, task: str, total: int) -> None:
        """A piece of work starts that has `total` steps."""
        return

    def advance(self, task: str, done: int) -> None:
        """So many of its steps are done."""
        return


class NoProgress(ProgressListener):
    """Watches nothing."""


def task_name(service: str, method: str) -> str:
    """How a method of a service is called while it runs.

    >>> task_name("water", "alone")
    'water: alone'
    """
    return f"{service}: {method}"
