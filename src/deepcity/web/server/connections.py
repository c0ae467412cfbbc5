"""Connections within limits: their number, and how long each may take.

A connection is *idle* until a request's headers are complete. If there are too many, the one
that has been idle longest is closed for a new one, so that idle and slow clients never keep
others out. What is overdue is closed: headers, bodies, and answers that are not taken.
"""

import asyncio
from functools import partial
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from deepcity.web.server.limits import ServerLimits

_SWEEP_S = 0.5
_LONG_HEAD = b"431 Request Header Fields Too Large"
_EVENTS = b"text/event-stream"  # what a browser accepts that asks for one


class Connections:
    """The open connections of one server.

    Args:
        limits: how many, and how long they may take.
    """

    def __init__(self, limits: ServerLimits) -> None:
        self.limits = limits
        self.all: set[GuardedProtocol] = set()
        self.idle: dict[GuardedProtocol, None] = {}  # in the order in which they became idle
        self._sweeping: asyncio.TimerHandle | None = None

    def admit(self, one: "GuardedProtocol") -> bool:
        """Take a new connection, in place of the longest idle one if there are too many."""
        if len(self.all) >= self.limits.max_connections:
            oldest = next(iter(self.idle), None)
            if oldest is None:
                return False
            self.forget(oldest)
            oldest.transport.abort()
        self.all.add(one)
        self.idle[one] = None
        if self._sweeping is None:
            self._sweeping = one.loop.call_later(_SWEEP_S, self._sweep, one.loop)
        return True

    def forget(self, one: "GuardedProtocol") -> None:
        """It is closed."""
        self.all.discard(one)
        self.idle.pop(one, None)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._sweeping = loop.call_later(_SWEEP_S, self._sweep, loop) if self.all else None
        for one in list(self.all):
            one.check(loop.time())


class GuardedProtocol(HttpToolsProtocol):
    """Uvicorn's protocol, counted and timed; the methods that it overrides do what they did."""

    def __init__(
        self,
        guard: Connections,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._guard, self._limits = guard, guard.limits
        self._since = self.loop.time()  # since when it is idle, or a head or body is being read
        self._head_bytes = self._body_bytes = self._named_bytes = 0
        self._reads_body = False
        self._unsent, self._stalled_since = 0, self._since

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count it, or refuse it."""
        super().connection_made(transport)
        if not self._guard.admit(self):
            self._refuse(b"503 Service Unavailable")

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it no more."""
        self._guard.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count bytes of a head or a body."""
        if self.transport.is_closing():
            return
        if self._reads_body:
            self._body_bytes += len(data)
        else:
            if not self._head_bytes:
                self._since = self.loop.time()
            self._head_bytes += len(data)
        super().data_received(data)
        long = self._head_bytes > self._limits.max_header_bytes
        if long and not self._reads_body and not self.transport.is_closing():
            self._refuse(_LONG_HEAD)

    def on_message_begin(self) -> None:
        """Count the next head from its first byte."""
        self._named_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count a part of the path, as `on_header` counts."""
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header: all of a long head may come at once, before `data_received` counts it."""
        self._count_head(len(name) + len(value))
        super().on_header(name, value)

    def _count_head(self, size: int) -> None:
        """Count bytes of a head; beyond the limit the parser ends there.

        Raises:
            ValueError: if the head is too long, for the parser.
        """
        self._named_bytes += size
        if self._named_bytes > self._limits.max_header_bytes:
            raise ValueError("the head is too long")

    def send_400_response(self, msg: str) -> None:
        """Say what was wrong with a request that cannot be parsed, or whose head is too long."""
        if self._named_bytes > self._limits.max_header_bytes:
            self._refuse(_LONG_HEAD)
        else:
            super().send_400_response(msg)

    def on_headers_complete(self) -> None:
        """A body follows, and it is idle no more."""
        self._guard.idle.pop(self, None)
        self._head_bytes = self._body_bytes = 0
        self._reads_body, self._since = True, self.loop.time()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All of a body is there."""
        self._reads_body = False
        super().on_message_complete()
        self._become_idle()  # if it was answered before its body came

    def on_response_complete(self) -> None:
        """It is idle again."""
        super().on_response_complete()
        self._become_idle()

    def shutdown(self) -> None:
        """Close it once its request is answered; a stream of events, which has no end, now."""
        super().shutdown()
        if self not in self._guard.idle and (b"accept", _EVENTS) in (self.headers or []):
            self.transport.close()

    def resume_writing(self) -> None:
        """The client has taken most of what waited for it."""
        super().resume_writing()
        self._stalled_since = self.loop.time()

    def check(self, now: float) -> None:
        """Close it if it is overdue."""
        if self.transport.is_closing():
            if self._is_stalled(now):
                self.transport.abort()
        elif self._reads_body:
            if self.flow.read_paused:  # the server's own fault
                self._since += _SWEEP_S
            allowed_s = self._limits.body_s + self._body_bytes / self._limits.least_rate
            if now - self._since > allowed_s:
                self._refuse(b"408 Request Timeout")
        elif self in self._guard.idle and now - self._since > self._allowed_s:
            if self._head_bytes:
                self._refuse(b"408 Request Timeout")
            else:
                self.transport.close()
        elif self._is_stalled(now):
            self.transport.abort()

    @property
    def _allowed_s(self) -> float:
        return self._limits.header_s if self._head_bytes else self._limits.keep_alive_s

    def _become_idle(self) -> None:
        answered = self.cycle is not None and self.cycle.response_complete
        if answered and not self._reads_body and not self.pipeline and self in self._guard.all:
            self._since = self.loop.time()
            self._guard.idle.pop(self, None)
            self._guard.idle[self] = None

    def _is_stalled(self, now: float) -> bool:
        """Whether the client has not taken what waits for it for too long."""
        unsent, least = self.transport.get_write_buffer_size(), self._limits.least_rate * _SWEEP_S
        if not unsent or self._unsent - unsent >= least:
            self._stalled_since = now
        self._unsent = unsent
        return now - self._stalled_since > self._limits.stalled_s

    def _refuse(self, status: bytes) -> None:
        """Answer, if nothing was answered yet, and close."""
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            head = b"HTTP/1.1 %s\r\nconnection: close\r\ncontent-length: 0\r\n" % status
            again = b"retry-after: 1\r\n" if status.startswith(b"503") else b""
            self.transport.write(head + again + b"\r\n")
        self.transport.close()


def http_protocol(limits: ServerLimits) -> type[asyncio.Protocol]:
    """What uvicorn makes a protocol of for each connection to one server."""
    return cast("type[asyncio.Protocol]", partial(GuardedProtocol, Connections(limits)))
