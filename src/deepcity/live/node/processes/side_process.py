"""A process beside a node, as the node sees it: one thread, no terminal, ended with the node."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_THREADS = ("OMP", "OPENBLAS", "MKL", "NUMEXPR")
_MOST_TEXT = 500
_GRACE_S = 10


@dataclass
class SideProcess:
    """A process that works on a folder.

    Attributes:
        module: that is run with the folder as its only argument.
        folder: what it works on.
        log: file of all that it prints.
    """

    module: str
    folder: Path
    log: Path
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def process_id(self) -> int | None:
        """Its number; None: it was not started."""
        return None if self._process is None else self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it.

        Raises:
            OSError: if it cannot be started.
        """
        threads = {f"{name}_NUM_THREADS": "1" for name in _THREADS}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.module, str(self.folder)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, **threads, "POLARS_MAX_THREADS": "1"},
                start_new_session=True,  # Ctrl-C is for the node, which ends it
            )

    def wait(self, timeout_s: float) -> None:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: if it has not ended then.
        """
        if self._process is not None:
            self._process.wait(timeout_s)

    def end(self) -> None:
        """End it, if it has not ended."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(_GRACE_S)
        if self._process.stdin is not None:
            self._process.stdin.close()

    def why_ended(self) -> str:
        """How a process ended that gave no result: "was ended by SIGKILL" or "failed: …"."""
        code = 0 if self._process is None else self._process.returncode or 0
        if code < 0:
            known = {one.value: one.name for one in signal.Signals}  # real-time ones have no name
            name = known.get(-code, f"signal {-code}")
            cause = " (the system may be short of memory)" if name == "SIGKILL" else ""
            return f"was ended by {name}{cause}"
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return f"failed: {lines[-1][-_MOST_TEXT:] if lines else f'exit code {code}'}"
