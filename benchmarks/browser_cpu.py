"""Processor seconds of a browser that this process started, by part; where other work keeps the
cores busy, these tell and times of the clock do not.
"""

import os
from collections.abc import Iterator
from pathlib import Path

PAGE, DRAWING = "--type=renderer", "--type=gpu-process"


def descendants(parent: int | None = None) -> list[int]:
    """Processes that this one started, directly or not."""
    children: dict[int, list[int]] = {}
    for pid in _processes():
        fields = _fields(Path(f"/proc/{pid}/stat"))
        if fields:
            children.setdefault(int(fields[1]), []).append(pid)
    found, left = [], [parent or os.getpid()]
    while left:
        own = children.get(left.pop(), [])
        found += own
        left += own
    return found


def cpu_seconds(kind: str | None = None, *, main_thread: bool = False) -> float:
    """Processor seconds so far.

    Args:
        kind: `PAGE` or `DRAWING`; None: all of the browser.
        main_thread: of each process, only the thread that runs scripts.
    """
    total = 0.0
    for pid in descendants():
        if kind is not None and kind not in _command(pid):
            continue
        stat = f"/proc/{pid}/task/{pid}/stat" if main_thread else f"/proc/{pid}/stat"
        fields = _fields(Path(stat))
        if fields:
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def _processes() -> Iterator[int]:
    yield from (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal())


def _fields(stat: Path) -> list[str]:
    """Fields after the name; none if the process has ended."""
    try:
        return stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
