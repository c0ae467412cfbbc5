"""Connections that are idle, slow or too many, against a server in a process of its own."""

import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

import httpx
import pytest
from live_server import environment, free_port, ready, wait_for

SERVED = """
import sys
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from deepcity.web.server.limits import ServerLimits
from deepcity.web.server.serving import make_server, serve
app = FastAPI()

@app.get("/health")
async def health(): return {}

@app.get("/large")
async def large(): return StreamingResponse(b"x" * 65536 for _ in range(800))

@app.post("/body")
async def body(request: Request): return len(await request.body())

@app.get("/wrong")
async def wrong(): raise ValueError("as always")

limits = ServerLimits(
    max_connections=40, header_s=1.5, keep_alive_s=3, body_s=1.5, stalled_s=1.5,
    max_bodies_bytes=3_000_000, least_rate=65536,
)
serve(make_server(app, "127.0.0.1", int(sys.argv[1]), limits))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """(process, port, file that its log goes to)."""
    log, port = tmp_path_factory.mktemp("server") / "log", free_port()
    with log.open("wb") as file:
        command = [sys.executable, "-c", SERVED, str(port)]
        process = subprocess.Popen(command, env=environment(), stdout=file, stderr=file)
    try:
        wait_for(lambda: ready(f"http://127.0.0.1:{port}"))
        yield process, port, log
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def address(server):
    return f"http://127.0.0.1:{server[1]}"


@contextmanager
def connections(port, count, sent=b""):
    """So many, each with some bytes sent."""
    opened = []
    try:
        for _ in range(count):
            opened.append(socket.create_connection(("127.0.0.1", port), timeout=5))
            with suppress(OSError):
                opened[-1].sendall(sent)
        yield opened
    finally:
        for one in opened:
            one.close()


def takes(connection, byte):
    """Whether the other side has not closed it yet."""
    try:
        connection.send(byte)
    except OSError:
        return False
    return True


def reply_of(connection):
    """All that comes until it is closed."""
    found = bytearray()
    with suppress(ConnectionError):
        while part := connection.recv(65536):
            found += part
    return bytes(found)


@pytest.mark.parametrize(
    "sent", [b"", b"GET /health HTTP/1.1\r\nhost: t\r\nx: ", b"\r\n", b"GET /"]
)
def test_idle_connections_keep_nobody_out(server, address, sent):
    """More than are allowed, and more than a process may have files open by default."""
    with connections(server[1], 1300, sent):
        assert ready(address)
        assert server[0].poll() is None
    assert ready(address)


def test_idle_and_slow_connections_are_closed(server):
    head = b"POST /body HTTP/1.1\r\nhost: t\r\ncontent-length: 900000\r\n"
    with (
        connections(server[1], 5) as silent,
        connections(server[1], 5, head) as slow_heads,
        connections(server[1], 5, head + b"\r\n" + b"x" * 70_000) as slow_bodies,
    ):
        for one in (*slow_heads, *slow_bodies):  # a byte now and then does not keep them open
            one.settimeout(0.3)
        until, still_open = time.monotonic() + 8, [*slow_heads, *slow_bodies]
        while still_open and time.monotonic() < until:
            still_open = [one for one in still_open if takes(one, b"x")]
            time.sleep(0.3)
        for one in (*silent, *slow_heads, *slow_bodies):
            one.settimeout(3)
            assert b" 200 " not in reply_of(one)  # and it ended


def test_a_connection_is_kept_between_requests_and_closed_after(server):
    request = b"GET /health HTTP/1.1\r\nhost: t\r\n\r\n"
    with connections(server[1], 1, request) as (one,):
        for _ in range(2):
            found = b""
            while not found.endswith(b"{}"):
                part = one.recv(65536)
                assert part
                found += part
            one.sendall(request)
        one.settimeout(10)
        assert reply_of(one).count(b" 200 ") == 1  # the third, and then it ended


def test_one_who_does_not_take_the_answer_is_cut(server, address):
    with connections(server[1], 10, b"GET /large HTTP/1.1\r\nhost: t\r\n\r\n") as slow:
        time.sleep(6)
        for one in slow:
            assert len(reply_of(one)) < 800 * 65536
    assert len(httpx.get(f"{address}/large", trust_env=False).content) == 800 * 65536


def test_one_who_takes_the_answer_steadily_gets_all_of_it(server):
    """As fast as it is taken it is refilled, so that as much waits all the time."""
    with connections(server[1], 1, b"GET /large HTTP/1.1\r\nhost: t\r\n\r\n") as (one,):
        taken, begun = 0, time.monotonic()
        while time.monotonic() < begun + 5 and (part := one.recv(65536)):
            taken += len(part)
            time.sleep(len(part) / 3_000_000)
        assert taken + len(reply_of(one)) > 800 * 65536


def test_where_all_are_busy_one_more_is_told_to_come_again(server, address):
    head = b"POST /body HTTP/1.1\r\nhost: t\r\ncontent-length: 900000\r\n\r\n"
    with connections(server[1], 40, head):
        time.sleep(0.7)
        with connections(server[1], 1) as (more,):
            assert b" 503 " in reply_of(more)
    wait_for(lambda: ready(address))


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nx: " + b"y" * 100_000,
        b"GET / HTTP/1.1\r\nhost: t\r\nx: " + b"y" * 100_000 + b"\r\n\r\n",
        b"GET /?" + b"y" * 100_000 + b" HTTP/1.1\r\nhost: t\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: t\r\n" + b"x: y\r\n" * 20_000 + b"\r\n",
    ],
    ids=["without its end", "whole", "of a long path", "of many headers"],
)
def test_long_heads_are_refused(server, head):
    with connections(server[1], 1, head) as (one,):
        assert reply_of(one).startswith(b"HTTP/1.1 431 ")


def test_bodies_are_bounded_together(server, address):
    body = b"x" * 900_000
    head = b"POST /body HTTP/1.1\r\nhost: t\r\ncontent-length: 900000\r\n\r\n"
    with connections(server[1], 3, head + body[:-1]) as waiting:
        time.sleep(0.5)
        reply = httpx.post(f"{address}/body", content=body, trust_env=False)
        assert (reply.status_code, reply.headers["Retry-After"]) == (503, "1")
        for one in waiting:
            one.sendall(b"x")
            assert b" 200 " in one.recv(65536)
    assert httpx.post(f"{address}/body", content=body, trust_env=False).json() == len(body)


def test_to_ask_for_another_protocol_changes_nothing(server):
    asked = (
        b"GET /health HTTP/1.1\r\nhost: t\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    with connections(server[1], 1, asked) as (one,):
        one.settimeout(10)
        assert b" 200 " in reply_of(one)  # and it ends, as any idle one


def test_a_log_does_not_grow_with_attacks(server, address):
    before = server[2].stat().st_size
    for _ in range(50):
        assert httpx.get(f"{address}/wrong", trust_env=False).status_code == 500
    for _ in range(300):
        with connections(server[1], 1, b"nonsense\r\n\r\n"):
            pass
    assert before <= server[2].stat().st_size < before + 200_000
    assert server[2].read_bytes().count(b"as always") <= 20
