"""Who watches a run advance, and what there is to do: every method of every service.

A task's cost is in rows trained on, so that a watcher can tell how much of the whole is
done although methods and services differ in size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from deepcity.city.level import ALONE
from deepcity.intercity import results as names
from deepcity.intercity.choices import practises
from deepcity.intercity.city_map import Service
from deepcity.intercity.map_settings import ServiceSettings
from deepcity.intercity.practice import COURSES

NEWCOMERS_ALONE = "newcomers alone"
PRACTICE = "practice for newcomers"


@dataclass(frozen=True)
class Task:
    """A method of a service: how it is called, its steps, and its cost in rows trained on."""

    name: str
    steps: int
    cost: float


class Watch(Protocol):
    """Who wants to see a run advance."""

    def plan(self, tasks: Sequence[Task]) -> None:
        """All methods that will be run, in their order."""
        ...

    def skip(self, task: str) -> None:
        """A planned method will not be run after all."""
        ...

    def begin(self, task: str, total: int) -> None:
        """A piece of work starts that has `total` steps."""
        ...

    def advance(self, task: str, done: int) -> None:
        """So many of its steps are done."""
        ...


class Silent:
    """Watches nothing."""

    def plan(self, tasks: Sequence[Task]) -> None:
        """Ignore it."""

    def skip(self, task: str) -> None:
        """Ignore it."""

    def begin(self, task: str, total: int) -> None:
        """Ignore it."""

    def advance(self, task: str, done: int) -> None:
        """Ignore it."""


def trained_levels(settings: ServiceSettings) -> list[int]:
    """Levels that are trained: alone, the fixed ones, and the deepest where parties choose."""
    deepest = settings.grant.level
    asked = {min(level, deepest) for level in settings.levels}
    return sorted({ALONE, *asked, *([deepest] if settings.automatic else [])})


def task_name(service: str, method: str) -> str:
    """How a method of a service is called while it runs.

    >>> task_name("water", "alone")
    'water: alone'
    """
    return f"{service}: {method}"


def tasks_of(services: Sequence[Service]) -> list[Task]:
    """Every method of these services, in the order they are run."""
    return [task for service in services for task in _tasks(service)]


def _tasks(service: Service) -> list[Task]:
    settings, parties = service.settings, len(service.members)
    training = settings.training
    one = float(training.rounds * training.local_steps * training.batch_rows)
    levels = trained_levels(settings)
    methods = [names.ALONE if level == ALONE else names.fixed(level) for level in levels]
    joining = parties - len(settings.newcomers)
    tasks = [_task(settings, name, training.rounds, joining * one) for name in methods]
    late = len(settings.newcomers)
    if late:
        tasks.insert(1, _task(settings, NEWCOMERS_ALONE, training.rounds * late, late * one))
    if practises(settings):
        rounds = sum(rounds for rounds, _ in COURSES)
        tasks.append(_task(settings, PRACTICE, rounds, joining * one * rounds / training.rounds))
    tries = max(levels) + 1 if settings.automatic else 0
    choosing = float(parties * tries * training.refit_steps * training.batch_rows)
    tasks.append(_task(settings, names.AUTOMATIC, parties, choosing))
    if settings.pooled:
        tasks.append(_task(settings, names.POOLED, training.rounds, one))
    return tasks


def _task(settings: ServiceSettings, method: str, steps: int, cost: float) -> Task:
    return Task(task_name(settings.name, method), steps, cost)
