"""`deepcity up` as a process of its own: started, asked, killed and started again."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from live_server import free_port
from processes import ENV, PATIENCE_S, command


@dataclass
class NodeProcess:
    """`deepcity up` as a process of its own, which may be killed and started again.

    Attributes:
        city: its file; the run lies beside it.
        more: arguments.
    """

    city: Path
    more: tuple[object, ...] = ()
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

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
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command("up", self.city, *run, *self.more),
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
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def cpu_s(self) -> float:
        """Seconds that all cores have worked for it."""
        assert self._process is not None
        numbers = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(city: Path, *more: object):
    """A node that has begun; it does not outlive the block."""
    node = NodeProcess(city, more)
    node.start()
    try:
        node.wait()
        yield node
    finally:
        node.kill()
