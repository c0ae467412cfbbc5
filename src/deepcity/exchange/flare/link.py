"""The line between the coordinator and the engine's job, which carries its calls to the sites.

The coordinator listens on this machine alone; the job finds address and key in a file that only
their user can read. Frames are a JSON head and the message's bytes; nothing is unpickled.
"""

import contextlib
import json
import os
import secrets
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from multiprocessing import AuthenticationError
from multiprocessing.connection import (
    Connection,
    Listener,
    answer_challenge,
    deliver_challenge,
)
from pathlib import Path
from typing import Any, Protocol

from deepcity.exchange.flare.leases import LeaseLostError
from deepcity.store.atomic import write_atomic

LINK_FILE = "coordinator.json"
_HEAD = 4  # bytes of a head's length
_SIZE = 4  # bytes of a frame's length, before it
_MOST_HEAD = 1 << 20
_GRACE_S = 5.0  # the engine's own timeout comes first

MOST_BYTES = 1 << 30
"""Of one message; a larger one is refused before it is read."""
PING = ""
"""In place of an envelope: asks whether a site's worker is there at all."""
ANSWER, REFUSED, FAILED, TIMEOUT, LOST = "answer", "refused", "failed", "timeout", "lost"


@dataclass(frozen=True)
class Reply:
    """What came back.

    Attributes:
        kind: one of `ANSWER`, `REFUSED`, `FAILED`, `TIMEOUT`, `LOST`.
        text: the reason, unless it is an answer.
        blob: the answer's bytes.
        counts: rows of the ledger of calls that were made to give this answer.
    """

    kind: str
    text: str = ""
    blob: bytes = b""
    counts: Sequence[Sequence[Any]] = ()


class Wire(Protocol):
    """Carries bytes to a site and back."""

    def ask(self, site: str, task: str, blob: bytes, deadline_s: float) -> Reply:
        """Ask a site; blocks until it answers or the deadline has passed."""
        ...


def send(line: Connection, head: Mapping[str, Any], blob: bytes = b"") -> None:
    """Send a frame: its length, its head's length, the head, the bytes.

    Raises:
        OSError: if the line has ended, or the frame is too large.
    """
    text = json.dumps(head).encode()
    size = _HEAD + len(text) + len(blob)
    if size > MOST_BYTES + _MOST_HEAD:
        raise OSError(f"a frame of {size:,} bytes")
    with _doubled(line) as end:
        end.sendall(size.to_bytes(_SIZE, "big") + len(text).to_bytes(_HEAD, "big") + text)
        if blob:
            end.sendall(blob)  # by itself: both in one would be a copy of a million bytes


def receive(line: Connection) -> tuple[dict[str, Any], bytes]:
    """The next frame's head and bytes.

    `recv_bytes` would give the same in three times the processor's time: it reads in pieces, and
    the message's bytes would be copied out of the frame.

    Raises:
        EOFError, OSError: if the line has ended, or the frame is too large.
        ValueError: if its head is none.
    """
    with _doubled(line) as end:
        start = _exactly(end, _SIZE + _HEAD)
        size, head = int.from_bytes(start[:_SIZE], "big"), int.from_bytes(start[_SIZE:], "big")
        if not 0 <= head <= min(_MOST_HEAD, size - _HEAD) or size > MOST_BYTES + _MOST_HEAD:
            raise OSError(f"a frame of {size:,} bytes with a head of {head:,}")
        found = json.loads(_exactly(end, head))
        if not isinstance(found, dict):
            raise ValueError("a frame's head is no object")
        return found, _exactly(end, size - _HEAD - head)


def _exactly(end: socket.socket, size: int) -> bytes:
    data = end.recv(size, socket.MSG_WAITALL) if size else b""
    while len(data) < size:  # a signal came between
        more = end.recv(size - len(data), socket.MSG_WAITALL)
        if not more:
            raise EOFError
        data += more
    return data


@dataclass
class CoordinatorLink:
    """The coordinator's end; a `Wire` while a job is connected.

    Attributes:
        file: where the job finds this line; in the hub's folder.
        lease: name of the job that is waited for; others are turned away.
        sites: connected, as the job reported them.
    """

    file: Path
    lease: str = ""
    sites: tuple[str, ...] = ()
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    _waiting: dict[int, Future[Reply]] = field(default_factory=dict)
    _connected: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _sending: threading.Lock = field(default_factory=threading.Lock)
    _line: Connection | None = None
    _number: int = 0
    _closed: bool = False

    def __post_init__(self) -> None:
        self._listener = Listener(("127.0.0.1", 0))  # who calls is asked for the key one by one
        host, port = self._listener.address[:2]
        content = {"host": host, "port": port, "key": self._key.hex()}
        write_atomic(self.file, json.dumps(content).encode(), private=True)
        threading.Thread(target=self._accept, name="link", daemon=True).start()

    def wait_for(self, lease: str, seconds: float) -> bool:
        """Wait until the job of this lease is connected."""
        with self._lock:
            if self.lease != lease:
                self.lease = lease
                self._connected.clear()
        return self._connected.wait(seconds)

    def ask(self, site: str, task: str, blob: bytes, deadline_s: float) -> Reply:
        """Ask a site through the job.

        Raises:
            LeaseLostError: if the job is gone.
        """
        head = {"site": site, "task": task, "timeout": deadline_s}
        answer: Future[Reply] = Future()
        with self._lock:
            if self._line is None:
                raise LeaseLostError(f"lease {self.lease} has ended")
            line, number = self._line, self._number + 1
            self._number = number
            self._waiting[number] = answer
        try:
            self._send(line, {**head, "id": number}, blob, deadline_s)
            return answer.result(deadline_s + _GRACE_S)
        except FutureTimeoutError:
            return Reply(TIMEOUT, f"no answer within {deadline_s:.0f} s")
        finally:
            self._waiting.pop(number, None)

    def _send(
        self, line: Connection, head: Mapping[str, Any], blob: bytes, deadline_s: float
    ) -> None:
        """Send a frame; a job that does not take it in time is as good as gone."""
        with _shut_after(deadline_s + _GRACE_S, line):
            try:
                with self._sending:
                    send(line, head, blob)
            except OSError as error:
                raise LeaseLostError(f"lease {self.lease} takes no calls: {error}") from error

    def hang_up(self) -> None:
        """End the job's lease; the job ends by itself."""
        with self._lock:
            line, self._line = self._line, None
            self.lease = ""
            self._connected.clear()
        if line is not None:
            _shut(line)

    def close(self) -> None:
        """End the lease and listen no more."""
        self.hang_up()
        self._closed = True
        with contextlib.suppress(OSError):  # wakes the thread that accepts
            socket.create_connection(self._listener.address, timeout=1.0).close()
        self._listener.close()
        self.file.unlink(missing_ok=True)

    def _accept(self) -> None:
        while not self._closed:
            try:
                line = self._listener.accept()
            except OSError:
                continue
            threading.Thread(target=self._admit, args=(line,), name="link", daemon=True).start()

    def _admit(self, line: Connection) -> None:
        """Let a caller in that has the key and is the job waited for; a silent one is cut off."""
        try:
            with _shut_after(_GRACE_S, line):
                deliver_challenge(line, self._key)
                answer_challenge(line, self._key)
                head, _ = receive(line)
                without_delay(line)
            lease, sites = head.get("lease"), tuple(head["sites"])
        except (OSError, EOFError, ValueError, KeyError, TypeError, AuthenticationError):
            line.close()  # not our job
            return
        with self._lock:
            wanted = lease == self.lease and self._line is None and not self._closed
            if wanted:
                self._line, self.sites = line, sites
        if not wanted:
            line.close()
            return
        self._connected.set()
        self._read(line)

    def _read(self, line: Connection) -> None:
        try:
            while True:
                head, blob = receive(line)
                waiting = self._waiting.pop(head["id"], None)
                if waiting is not None:
                    waiting.set_result(Reply(head["kind"], head["text"], blob, head["counts"]))
        except (OSError, EOFError, ValueError, KeyError, TypeError):
            self._ended(line)

    def _ended(self, line: Connection) -> None:
        with self._lock:
            if self._line is line:
                self._line = None
                self._connected.clear()
            waiting, self._waiting = self._waiting, {}
        for one in waiting.values():
            one.set_exception(LeaseLostError(f"lease {self.lease} has ended"))


def without_delay(line: Connection) -> None:
    """Send at once; else a frame in two parts waits 40 ms for the other side's acknowledgement."""
    with _doubled(line) as end:
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _doubled(line: Connection) -> socket.socket:
    """The line's socket, by a number of its own."""
    return socket.socket(fileno=os.dup(line.fileno()))


@contextlib.contextmanager
def _shut_after(seconds: float, line: Connection) -> Iterator[None]:
    """Close a line if what is done with it takes longer: it raises there."""
    timer = threading.Timer(seconds, _shut, (line,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shut(line: Connection) -> None:
    """Close a line on which another thread waits; closing alone would not wake it."""
    with contextlib.suppress(OSError), _doubled(line) as end:
        end.shutdown(socket.SHUT_RDWR)
