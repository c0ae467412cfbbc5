"""Streams of events before a real server: many, slow, too many, and open when it stops."""

import json
import socket
import threading
from contextlib import ExitStack, contextmanager, suppress
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI, Request
from live_server import free_port, serving, wait_for

from deepcity.store.events.event import Event, EventKind
from deepcity.web.api.refusals import Refusal, refuse
from deepcity.web.control import event_feed
from deepcity.web.control.events import event_routes
from deepcity.web.server import serving as server_module
from deepcity.web.server.limits import ServerLimits
from deepcity.web.server.serving import make_server

LIMITS = ServerLimits(header_s=1, keep_alive_s=1, body_s=1, stalled_s=1)


class Node:
    """Events and how often they were read."""

    def __init__(self):
        self.stored, self.reads = [], 0
        self.events = self
        self.clock = SimpleNamespace(now=lambda: 5)

    @property
    def last(self):
        return len(self.stored)

    def read(self, query):
        self.reads += 1
        return [one for one in self.stored if one.seq > query.after][: query.limit]

    def add(self, count, service="water"):
        for _ in range(count):
            seq = self.last + 1
            self.stored.append(Event(EventKind.ROWS, str(seq), 9, service, "a/x", seq=seq))


@pytest.fixture
def node():
    return Node()


def app_of(node):
    app = FastAPI()
    app.add_exception_handler(Refusal, refuse)

    def anybody(_request: Request) -> None:
        """Whoever asks may look."""

    app.include_router(event_routes(node, anybody))
    return app


@contextmanager
def opened(address, after=None):
    after = str(after) if isinstance(after, int) else after
    headers = {"accept": "text/event-stream"}
    headers |= {} if after is None else {"last-event-id": after}
    with (
        httpx.Client(trust_env=False, timeout=30) as client,
        client.stream("GET", f"{address}/api/stream", headers=headers) as reply,
    ):
        yield reply, reply.iter_lines()


def numbers(lines, count):
    """Of the next events."""
    found = []
    while len(found) < count:
        line = next(lines)
        if line.startswith("data:") and "seq" in (data := json.loads(line[5:])):
            found.append(data["seq"])
    return found


def test_an_event_is_read_once_however_many_watch(node):
    node.add(7)
    with serving(app_of(node), limits=LIMITS) as address, ExitStack() as stack:
        streams = [stack.enter_context(opened(address, 4))[1] for _ in range(15)]
        assert [numbers(one, 3) for one in streams] == [[5, 6, 7]] * 15
        assert node.reads == 1
        node.add(1)
        assert [numbers(one, 1) for one in streams] == [[8]] * 15
        assert node.reads == 2


def test_whoever_missed_too_much_gets_the_newest_and_a_strange_number_the_next(node):
    node.add(2500)
    with serving(app_of(node)) as address, ExitStack() as stack:
        late, strange = (stack.enter_context(opened(address, one))[1] for one in (3, 10**18))
        assert numbers(late, 1000) == [*range(1501, 2501)]
        assert "clock" in next(strange)
        node.add(1)
        assert numbers(strange, 1) == [2501]


def test_a_number_that_is_none_begins_with_what_comes_next(node):
    node.add(5)
    with serving(app_of(node)) as address:
        for given in ("-1", "x", "", "1e3", "0x1", "\u00b2", "1 2", "9" * 20):
            with opened(address, given.encode("latin-1")) as (reply, lines):
                assert reply.status_code == 200, given
                assert "clock" in next(lines), given
        for given in ("9" * 21, "x" * 1000):
            with opened(address, given) as (reply, _):
                assert reply.status_code == 422, given


def test_a_stream_stays_open_longer_than_any_deadline(node):
    with serving(app_of(node), limits=LIMITS) as address, opened(address) as (_, lines):
        clocks = 0
        while clocks < 5:  # one a second; every deadline is one second
            clocks += "now_s" in next(lines)


def test_one_who_does_not_read_is_cut_and_the_others_go_on(node):
    with serving(app_of(node), limits=LIMITS) as address, socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", int(address.rpartition(":")[2])))
        slow.sendall(b"GET /api/stream HTTP/1.1\r\nhost: t\r\nlast-event-id: 0\r\n\r\n")
        node.add(1000, "x" * 10_000)
        with opened(address) as (_, lines):
            clocks = 0
            while clocks < 5:
                clocks += "now_s" in next(lines)
        slow.settimeout(10)
        taken = 0
        with suppress(ConnectionError):
            while part := slow.recv(1 << 20):
                taken += len(part)
        assert taken < 1000 * 10_000


def test_one_more_than_may_watch_is_refused_until_one_goes(node, monkeypatch):
    monkeypatch.setattr(event_feed, "MOST_WATCHING", 2)
    with serving(app_of(node)) as address, opened(address):
        with opened(address) as (reply, _):
            assert reply.status_code == 200
            with opened(address) as (more, _):
                assert (more.status_code, more.headers["Retry-After"]) == (503, "5")

        def again():
            with opened(address) as (reply, _):
                return reply.status_code == 200

        wait_for(again)


def test_a_server_that_stops_does_not_wait_for_streams(node, monkeypatch):
    monkeypatch.setattr(server_module, "_SHUTDOWN_S", 600)
    port = free_port()
    server = make_server(app_of(node), "127.0.0.1", port)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started)
    with opened(f"http://127.0.0.1:{port}") as (_, lines):
        next(lines)
        server.should_exit = True
        thread.join(timeout=60)
        assert not thread.is_alive()
