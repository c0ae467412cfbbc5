"""The first runs of the demo's districts, in a process of their own beside the city."""

import atexit
import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from deepcity.cli.demo import bundled

ALONE, TOGETHER = "quick-alone", "quick"
"""Maps of the demo: its districts learn alone, for a first forecast soon; then together."""
_NICENESS = 5  # the page, which is opened meanwhile, goes before
_PR_SET_PDEATHSIG = 1
# looked up before any fork: a thread may hold the loader's lock then
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def demo_run(name: str) -> Path:
    """The folder of a run of the demo."""
    return Path("runs") / name


@dataclass
class FirstLearning:
    """Districts learn as `deepcity run` lets them.

    A Ctrl-C at the terminal is the city's alone; the process ends with this one, quietly. On Linux
    it does so too where this one is killed: it would hold the run's folder against the next start.

    Attributes:
        name: of the map.
        since_s: when it began, by the machine's clock.
        stopped: whether it was ended as this process ends.
    """

    name: str
    since_s: int = field(default_factory=lambda: int(time.time()))
    stopped: bool = False
    _process: subprocess.Popen[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        command = [sys.executable, "-m", "deepcity", "run", str(bundled(f"{self.name}.toml"))]
        self._process = subprocess.Popen(
            [*command, "--out", str(demo_run(self.name))],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - it takes no lock
        )
        os.setpriority(os.PRIO_PROCESS, self._process.pid, _NICENESS)
        atexit.register(self._stop)

    @classmethod
    def needed(cls) -> "FirstLearning | None":
        """Begun where no run together has ended; it learns while the rest of the city opens."""
        return None if (demo_run(TOGETHER) / "results.json").exists() else cls(ALONE)

    def wait(self) -> tuple[int, str]:
        """Wait for its end: its exit code, below zero if it was killed, and its complaints."""
        with self._process:
            _, complaints = self._process.communicate()
        atexit.unregister(self._stop)
        return self._process.returncode, complaints

    def _stop(self) -> None:
        self.stopped = True
        self._process.kill()


def _die_with_parent() -> None:
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
