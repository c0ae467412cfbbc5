"""A month of a city of 1,000 places, replayed at the highest speed that the machine holds."""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from node_process import NodeProcess

from benchmarks.running_city.town import DAY, START, START_TEXT, write_town

PLACES, DAYS = 500, 30  # of each of two agencies
LOOK_S = 1.0


def month() -> str:
    """Speed, and memory over the month."""
    with TemporaryDirectory() as name:
        city = write_town(Path(name), PLACES, DAYS + 1)
        state = Path(name) / "state"
        replay = ("--replay", START_TEXT, "--speed", "max", "--state", str(state))
        node = NodeProcess(city, replay)
        node.start()
        try:
            node.wait()
            measured, seconds, cpu_s = _watched(node)
            counts = node.ask("/api/now")
        finally:
            node.kill()
        stored_mb = sum(one.stat().st_size for one in state.glob("city.duckdb*")) / 1e6
    assert isinstance(counts, dict)
    memory = [mb for _, mb in measured]
    thirds = len(memory) // 3
    first, last = memory[thirds : 2 * thirds], memory[2 * thirds :]
    growth = sum(last) / len(last) - sum(first) / len(first)
    shown = ", ".join(f"{_at(measured, DAY * day):.0f}" for day in range(0, DAYS + 1, 3))
    lines = [
        "## A running city: a month of 1,000 places",
        f"Two agencies of {PLACES} places, hourly; both forecast 6 steps, and decide, at every",
        "step; they learn from each new day (on copies), as in every replay.",
        "",
        f"{DAYS} days took {seconds:.0f} s ({cpu_s:.0f} s of processor), "
        f"{DAYS * DAY / seconds:,.0f} times as fast as they were: {DAYS * 24 / seconds:.1f} steps",
        f"a second. Events took {stored_mb:.0f} MB on disk.",
        "",
        f"Memory every three days: {shown} MB; mean of the last third less that of the middle "
        f"third: {growth:+.1f} MB.",
    ]
    return "\n".join(lines)


def _watched(node: NodeProcess) -> tuple[list[tuple[int, float]], float, float]:
    """(seconds of the city since the start, MB) until the month is over; seconds, CPU seconds."""
    begun, cpu_s = time.monotonic(), node.cpu_s()
    measured: list[tuple[int, float]] = []
    while not measured or measured[-1][0] < DAYS * DAY:
        time.sleep(LOOK_S)
        now = node.ask("/api/now")
        if isinstance(now, dict):
            measured.append((now["now_s"] - START, node.resident_mb()))
            if len(measured) % 60 == 1:
                at, held_mb = measured[-1]
                print(f"day {at / DAY:.1f}, {held_mb:.0f} MB", file=sys.stderr, flush=True)
    return measured, time.monotonic() - begun, node.cpu_s() - cpu_s


def _at(measured: list[tuple[int, float]], second: int) -> float:
    return next(mb for at, mb in measured if at >= min(second, measured[-1][0]))
