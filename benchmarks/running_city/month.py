"""A month of a city of 1,000 places, replayed at the highest speed that the machine holds."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from node_process import NodeProcess

from benchmarks.running_city.town import DAY, START, START_TEXT, write_town
from deepcity.store.events.event import Event, EventKind, EventQuery
from deepcity.store.open_store import open_events

PLACES = 500  # of each of two agencies
MONTH, FEW = 30, 4
LOOK_S = 1.0


@dataclass(frozen=True)
class _Look:
    """What was seen of the node at a moment.

    Attributes:
        at_s: seconds of the city since the start.
        node_mb, learning_mb: memory of the node, and of its learning process.
        learning: whether it learned.
    """

    at_s: int
    node_mb: float
    learning_mb: float
    learning: bool


def month() -> str:
    """Speed, memory over the month, and whether steps go on while forecasters learn."""
    return _replayed(MONTH)


def few_days() -> str:
    """The same of a few days."""
    return _replayed(FEW)


def _replayed(days: int) -> str:
    with TemporaryDirectory() as name:
        city = write_town(Path(name), PLACES, days + 1)
        state = Path(name) / "state"
        replay = ("--replay", START_TEXT, "--speed", "max", "--state", str(state))
        node = NodeProcess(city, replay)
        node.start()
        try:
            node.wait()
            looks, seconds, cpu_s = _watched(node, days)
        finally:
            node.kill()
        stored_mb = sum(one.stat().st_size for one in state.glob("city.duckdb*")) / 1e6
        with open_events(f"duckdb:///{state / 'city.duckdb'}") as events:
            within, between = _pauses(events.read(EventQuery((EventKind.FORECAST,), data=False)))
            updates = events.read(EventQuery((EventKind.UPDATE,)))
    memory = [one.node_mb for one in looks]
    thirds = len(memory) // 3
    first, last = memory[thirds : 2 * thirds], memory[2 * thirds :]
    growth = sum(last) / len(last) - sum(first) / len(first)
    every = max(1, days // 10)
    shown = ", ".join(f"{_at(looks, DAY * day):.0f}" for day in range(0, days + 1, every))
    learning = sum(one.learning for one in looks) / len(looks)
    title = "a month" if days == MONTH else f"{days} days"
    lines = [
        f"## A running city: {title} of 1,000 places",
        f"Two agencies of {PLACES} places, hourly; both forecast 6 steps, and decide, at every",
        "step; they learn from each new day (on copies), as in every replay, in a process of their",
        "own. A replayed day does not begin before the one before is learned.",
        "",
        f"{days} days took {seconds:.0f} s ({cpu_s:.0f} s of processor in the node), "
        f"{days * DAY / seconds:,.0f} times as fast as they were: {days * 24 / seconds:.1f} steps",
        f"a second. Events took {stored_mb:.0f} MB on disk.",
        "",
        f"Forecasters learned for {learning:.0%} of the time, in {len(updates)} updates, "
        f"{_problems(updates)} with a problem.",
        f"Longest time without a step within a day: {within:.1f} s; between two days, where a",
        f"replay at the highest speed waits for learning: {between:.1f} s.",
        "",
        f"Memory of the node every {every} days: {shown} MB; mean of the last third less that of "
        f"the middle third: {growth:+.1f} MB. Most that the node held: {max(memory):.0f} MB; the "
        f"learning process: {max(one.learning_mb for one in looks):.0f} MB.",
    ]
    return "\n".join(lines)


def _watched(node: NodeProcess, days: int) -> tuple[list[_Look], float, float]:
    """What is seen until the days are over; seconds, CPU seconds."""
    begun, cpu_s = time.monotonic(), node.cpu_s()
    looks: list[_Look] = []
    while not looks or looks[-1].at_s < days * DAY:
        time.sleep(LOOK_S)
        now = node.ask("/api/now")
        if isinstance(now, dict):
            at_s, learning = now["now_s"] - START, now["learning_since_s"] is not None
            looks.append(_Look(at_s, node.resident_mb(), node.children_mb(), learning))
            if len(looks) % 60 == 1:
                text = f"day {at_s / DAY:.1f}, {looks[-1].node_mb:.0f} MB"
                print(f"{text} + {looks[-1].learning_mb:.0f} MB", file=sys.stderr, flush=True)
    return looks, time.monotonic() - begun, node.cpu_s() - cpu_s


def _pauses(forecasts: Sequence[Event]) -> tuple[float, float]:
    """Longest seconds between two steps that were stored: of one day, and of two."""
    within = between = 0.0
    for one, other in pairwise(forecasts):
        pause_s = other.recorded_s - one.recorded_s
        if (one.at_s - START) // DAY == (other.at_s - START) // DAY:
            within = max(within, pause_s)
        else:
            between = max(between, pause_s)
    return within, between


def _problems(updates: Sequence[Event]) -> int:
    return sum(one.body["outcome"] == "problem" for one in updates)


def _at(looks: Sequence[_Look], second: int) -> float:
    return next(one.node_mb for one in looks if one.at_s >= min(second, looks[-1].at_s))
