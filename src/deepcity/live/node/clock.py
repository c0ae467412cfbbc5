"""The time that a node goes by: the machine's own, or that of records played as if live."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class ClockMode(StrEnum):
    """Whose time it is."""

    LIVE = "live"
    REPLAY = "replay"


class NodeClock(Protocol):
    """What a node asks for the time. Threads may share it.

    Attributes:
        mode: whose time it is.
        speed: seconds of the city in one of the machine.
    """

    mode: ClockMode
    speed: float

    def now(self) -> int:
        """The city's time, UTC seconds."""
        ...

    def done(self, now_s: int) -> None:
        """All that was due at a time is done."""
        ...


@dataclass
class LiveClock:
    """The machine's own time."""

    mode: ClockMode = ClockMode.LIVE
    speed: float = 1.0
    wall: Callable[[], float] = time.time

    def now(self) -> int:
        """The machine's time."""
        return int(self.wall())

    def done(self, now_s: int) -> None:
        """Nothing: time goes on."""


@dataclass
class ReplayClock:
    """A time of the past that goes on faster.

    It waits for what is due: it never passes the next step before `done` was called for this one,
    so every step is forecast, however slow the machine is.

    Attributes:
        start_s: its first moment, UTC seconds; steps are counted from it.
        step_s: the finest of the city's panels.
        speed: infinite: as fast as steps are done.
    """

    start_s: int
    step_s: int
    speed: float = 1.0
    mode: ClockMode = ClockMode.REPLAY
    monotonic: Callable[[], float] = time.monotonic
    _at_s: float = field(init=False)
    _since: float = field(init=False)
    _done_s: int = field(init=False)
    _paused: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        if not self.speed > 0:
            raise ValueError(f"speed {self.speed}: time goes forward; give a number over 0")
        self._at_s, self._since = float(self.start_s), self.monotonic()
        self._done_s = self.start_s - 1  # what begins with it is due at once

    def now(self) -> int:
        """The replay's time."""
        moment = self.monotonic()
        gone = moment - self._since
        reached = math.inf if math.isinf(self.speed) else self._at_s + gone * self.speed
        done = (self._done_s - self.start_s) // self.step_s
        due = self.start_s + (done + 1) * self.step_s
        if reached > due:  # from here on, or the time lost would be made up in one jump
            reached = float(due)
            self._at_s, self._since = reached, moment
        return int(reached)

    def done(self, now_s: int) -> None:
        """All that was due at a time is done: the next step may begin, unless it is paused."""
        if not self._paused:
            self._done_s = max(self._done_s, now_s)

    def pause(self) -> None:
        """Let no further step begin until `go_on`; whoever is started late misses none."""
        self._paused = True

    def go_on(self) -> None:
        """Let steps begin again."""
        self._paused = False
