"""Folders that the engine leaves of every job; all but the newest are removed.

A job is a lease of some rounds, so a federation that runs for months would leave tens of thousands:
two hours left 6,000 files, checkpoints included (`python -m benchmarks.federation soak`). What a
run needs lies elsewhere; the newest jobs' logs are kept for whoever looks for a fault.
"""

import contextlib
import re
import shutil
from pathlib import Path

KEPT_JOBS = 5
_JOB = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def remove_old_jobs(kit: Path) -> list[Path]:
    """Remove the folders of all but the newest jobs of a kit; returns those removed.

    A job that runs writes to its logs, so it is among the newest.
    """
    found = [one for one in kit.iterdir() if one.is_dir() and _JOB.fullmatch(one.name)]
    old = sorted(found, key=_newest, reverse=True)[KEPT_JOBS:]
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return old


def _newest(folder: Path) -> float:
    """When a file in a folder was last written; the folder's own time if it holds none."""
    times = []
    for path in folder.iterdir():
        with contextlib.suppress(OSError):  # it is gone meanwhile
            if path.is_file():
                times.append(path.stat().st_mtime)
    return max(times, default=folder.stat().st_mtime)
