"""`deepcity up` as a process of its own: started, asked, killed and started again."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from forked import Forked
from live_server import free_port
from processes import ENV, FROM_NOTHING, PATIENCE_S, command


@dataclass
class NodeProcess:
    """`deepcity up` as a process of its own, which may be killed and started again.

    Attributes:
        city: its file; the run lies beside it.
        more: arguments.
        program: what Python runs, with its first arguments; None: the process is `forked`.
    """

    city: Path
    more: tuple[object, ...] = ()
    program: tuple[object, ...] | None = FROM_NOTHING
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | Forked | None = None

    @property
    def address(self) -> str:
        """Of its page."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What it has printed."""
        return self.city.parent / f"node-{self.port}.log"

    def start(self) -> None:
        """Begin it, or begin it again."""
        run = ("--run", self.city.parent / "run", "--port", self.port)
        if self.program is None:
            words, log = ("up", self.city, *run, *self.more), str(self.log)
            self._process = Forked(words, ENV, output=log, errors=log)
            return
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command("up", self.city, *run, *self.more, program=map(str, self.program)),
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=ENV,
            )

    def kill(self) -> None:
        """As a power cut would."""
        assert self._process is not None
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self, sign: int = signal.SIGINT) -> int:
        """As Ctrl-C does; gives its exit code."""
        assert self._process is not None
        self._process.send_signal(sign)
        return self._process.wait(PATIENCE_S)

    def ask(self, path: str, **asked: object) -> object:
        """The JSON of a route; None while it does not answer."""
        try:
            found = httpx.get(f"{self.address}{path}", params=asked, timeout=30)
        except httpx.TransportError:
            return None
        return found.json() if found.status_code == 200 else None

    def wait(self, true: Callable[[], object] | None = None) -> None:
        """Until something is true; by default, until it answers."""
        assert self._process is not None
        end, true = time.monotonic() + PATIENCE_S, true or (lambda: self.ask("/health"))
        while not true():
            if self._process.poll() is not None or time.monotonic() > end:
                raise AssertionError(self.log.read_text()[-2000:])
            time.sleep(0.1)

    def resident_mb(self) -> float:
        """Memory that it holds now, MB."""
        assert self._process is not None
        return _resident_mb(self._process.pid)

    def children_mb(self) -> float:
        """Memory that the processes which it started hold now, MB."""
        assert self._process is not None
        found = 0.0
        for path in Path(f"/proc/{self._process.pid}/task").glob("*/children"):
            with suppress(OSError):  # a thread that has just ended
                for child in path.read_text().split():
                    with suppress(OSError):
                        found += _resident_mb(int(child))
        return found

    def cpu_s(self) -> float:
        """Seconds that all cores have worked for it."""
        assert self._process is not None
        numbers = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


def _resident_mb(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def running(city: Path, *more: object, program: tuple[object, ...] | None = None):
    """A node that has begun; it does not outlive the block."""
    node = NodeProcess(city, more, program)
    node.start()
    try:
        node.wait()
        yield node
    finally:
        node.kill()
