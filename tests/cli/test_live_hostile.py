"""Hostile bodies sent to a `deepcity serve` of its own: refused unread, and the server goes on."""

from io import BytesIO

import httpx
import polars as pl
import pytest
from live_server import TOKENS, free_port, ready, serve_process, wait_for
from live_town import HOUR, NOW, START

from deepcity.live.arrow import ARROW
from deepcity.live.wire import BLOB

HOURS = NOW // HOUR - START // HOUR
JSON = "application/json"


def nested_arrow(levels):
    """The schema of lists in lists, as an Arrow stream."""
    dtype = pl.Float32()
    for _ in range(levels):
        dtype = pl.List(dtype)
    buffer = BytesIO()
    pl.DataFrame({"vector": pl.Series([], dtype=dtype)}).write_ipc_stream(buffer)
    return buffer.getvalue()


def blob(header):
    return len(header).to_bytes(8, "little") + header


BODIES = {
    "arrow": nested_arrow(100),
    "an arrow stream's beginning": b"\xff\xff\xff\xff\x90\x71\x02\x00" + b"\x10\0\0\0" * 40_000,
    "a blob's header, nested": blob(b'{"__metadata__":' + b"[" * 900),
    "a blob's long header, nested": blob(b"{" + b'"a":{' * 30_000),
    "a blob that says it has 2^60 bytes": (1 << 60).to_bytes(8, "little") + b"{}",
    "lists in lists": b"[" * 900_000,
    "objects in objects": b'{"rows":' * 100_000,
    "a vector of lists in lists": b'{"rows":[{"time":1,"cell":"c","vector":' + b"[" * 90_000,
    "a number without end": b'{"rows":[{"time":' + b"9" * 900_000,
    "nothing": b"",
}


@pytest.fixture(scope="module")
def server(town_trained, tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("hostile"), free_port()
    town_trained.copy_to(folder, HOURS)
    address = f"http://127.0.0.1:{port}"
    process = serve_process(town_trained, folder, port, f"duckdb:///{folder / 'deep.duckdb'}")
    try:
        wait_for(lambda: ready(address))
        yield process, address
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("form", [BLOB, JSON, ARROW])
@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_is_refused_and_the_server_goes_on(name, form, server, town_trained):
    process, address = server
    reply = httpx.post(
        f"{address}/deep-data",
        params={"space": str(town_trained.encoders["weather"].space)},
        content=BODIES[name],
        headers={"Authorization": f"Bearer {TOKENS['weather']}", "Content-Type": form},
        trust_env=False,
        timeout=600,
    )
    assert reply.status_code in {413, 422}
    assert reply.json()["errors"][0]["next"]
    assert process.poll() is None
    assert ready(address)
