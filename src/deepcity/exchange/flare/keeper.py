"""Keeps one engine process running: `python -m deepcity.exchange.flare.keeper KIT`.

Workers of the engine are started apart from it and would outlive it for some seconds. This
process adopts them (Linux: `PR_SET_CHILD_SUBREAPER`), so that none is left when it ends.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from deepcity.exchange.flare.certificates import kit_certificate, remark, soon
from deepcity.exchange.flare.job_folders import remove_old_jobs
from deepcity.exchange.flare.kits import FEDERATION
from deepcity.exchange.flare.processes import command_of, is_kit

_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_PDEATHSIG = 1
_FIRST_WAIT_S, _MOST_WAIT_S = 1.0, 30.0
_POLL_S = 0.2
_CLEAR_S = 60.0


def keep(kit: Path) -> None:
    """Run the engine until SIGTERM; after a crash, start it again."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    wait_s = _FIRST_WAIT_S
    try:
        while True:
            begun = time.monotonic()
            _name_certificate(kit)
            engine = subprocess.Popen(command_of(kit), preexec_fn=_die_with_parent)  # noqa: PLW1509
            cleared = begun
            while engine.poll() is None:
                _reap(engine.pid)
                if time.monotonic() - cleared > _CLEAR_S:
                    _clear(kit)
                    cleared = time.monotonic()
                time.sleep(_POLL_S)
            end_children()
            if engine.returncode == 0 and (kit / FEDERATION).exists():
                return  # the coordinator's work is done
            wait_s = _FIRST_WAIT_S if time.monotonic() - begun > _MOST_WAIT_S else 2 * wait_s
            print(f"the engine ended with {engine.returncode}; it starts again", flush=True)
            time.sleep(min(wait_s, _MOST_WAIT_S))
    finally:
        end_children()


def _clear(kit: Path) -> None:
    """Remove what ended jobs have left; what cannot be removed now is tried again."""
    with contextlib.suppress(OSError):
        remove_old_jobs(kit)


def _name_certificate(kit: Path) -> None:
    """Name a certificate that ends soon or has: the engine's own words do not."""
    if is_kit(kit) and soon(found := kit_certificate(kit)):
        print(remark(found), flush=True)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _reap(engine: int) -> None:
    """Wait for adopted processes that have ended."""
    for child in _children():
        if child != engine:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, os.WNOHANG)


def _children() -> list[int]:
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    try:
        return [int(child) for child in path.read_text().split()]
    except OSError:
        return []


def end_children() -> None:
    """Kill every child, and those that they leave behind, until there is none."""
    while children := _children():
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, 0)


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
