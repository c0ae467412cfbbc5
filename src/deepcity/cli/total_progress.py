"""Progress of a whole run: methods done, rate, and time left."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from deepcity.city.progress import ProgressTask


@dataclass
class TotalProgress:
    """Counts planned methods by their cost; what an earlier run did counts for no speed.

    Attributes:
        tasks: name -> what is planned, in its order.
        done: name -> steps done.
        ran: cost of what was done while this one watched.
        begun: when the first planned task began; None before.
    """

    tasks: dict[str, ProgressTask] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    ran: float = 0.0
    begun: float | None = None

    def plan(self, tasks: Sequence[ProgressTask]) -> None:
        """What there is to do."""
        self.tasks = {task.name: task for task in tasks}

    def skip(self, name: str) -> None:
        """One of them is not to be done."""
        self.tasks.pop(name, None)

    def begin(self, name: str, now: float) -> None:
        """A task starts, so those planned before it are done, by an earlier run if not by this."""
        if name not in self.tasks:
            return
        self.begun = now if self.begun is None else self.begun
        for earlier in self.tasks.values():
            if earlier.name == name:
                break
            self.done[earlier.name] = earlier.steps

    def advance(self, name: str, steps: int) -> None:
        """So many of a task's steps are done; its first report is of one step."""
        task = self.tasks.get(name)
        if task is None:
            return
        self.ran += task.cost * (steps - self.done.get(name, steps - 1)) / task.steps
        self.done[name] = steps

    @property
    def methods(self) -> int:
        """Planned methods that are done."""
        return sum(self.done.get(task.name, 0) >= task.steps for task in self.tasks.values())

    @property
    def share(self) -> float:
        """How much of the whole cost is done."""
        return 1.0 - self._left() / (self._cost() or 1.0)

    def rate(self, now: float) -> float | None:
        """Methods a minute, counted by cost; None before anything was measured."""
        seconds = 0.0 if self.begun is None else now - self.begun
        if not self.ran or seconds <= 0:
            return None
        return 60.0 * len(self.tasks) * self.ran / self._cost() / seconds

    def seconds_left(self, now: float) -> float | None:
        """How long the rest takes at the speed so far; None before anything was measured."""
        if not self.ran or self.begun is None:
            return None
        return self._left() * (now - self.begun) / self.ran

    def _cost(self) -> float:
        return sum(task.cost for task in self.tasks.values())

    def _left(self) -> float:
        return sum(
            task.cost * (1.0 - min(1.0, self.done.get(task.name, 0) / task.steps))
            for task in self.tasks.values()
        )
