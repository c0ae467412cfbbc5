"""`deepcity up`: a real process that people start, look at and stop."""

import os
import signal
import time
from contextlib import contextmanager

import httpx
import pytest
from live_city import START, trained  # noqa: F401
from live_server import free_port
from processes import PATIENCE_S, deepcity, started

from deepcity.store.events.event import EventKind, EventQuery
from deepcity.store.open_store import open_events


@contextmanager
def running(folder, *more):
    """A node of the little city; gives a client of it."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    run = ["--run", folder / "run", "--replay", "2021-03-09T00:00", "--port", port]
    process = started("up", folder / "a.toml", *run, *more)
    try:
        with httpx.Client(base_url=address, timeout=60) as client:
            wait_until(lambda: is_ready(client), process)
            yield client, process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def is_ready(client):
    try:
        return client.get("/health").status_code == 200
    except httpx.TransportError:
        return False


def wait_until(true, process):
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.1)


def test_it_runs_is_stopped_and_goes_on(trained, tmp_path):  # noqa: F811
    state = ("--state", tmp_path / "state", "--speed", "max")
    with running(trained, *state) as (client, process):
        wait_until(lambda: len(client.get("/api/decisions").json()) >= 4, process)
        assert client.get("/api/city").json()["mode"] == "replay"
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(PATIENCE_S) in (0, 130)
    with running(trained, *state) as (client, process):
        before = client.get("/api/events", params={"kind": "forecast", "limit": 1}).json()
        assert before[0]["body"]["origin_s"] == START
        os.kill(process.pid, signal.SIGTERM)
        process.wait(PATIENCE_S)
    with open_events(f"duckdb:///{tmp_path / 'state' / 'city.duckdb'}") as events:
        found = events.read(EventQuery((EventKind.FORECAST,), party="a/x", data=False))
    origins = [event.body["origin_s"] for event in found]
    assert origins == list(range(START, START + 3600 * len(origins), 3600))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--speed", "fast"), "a number over 0"),
        (("--speed", "600"), "add --replay START"),
        (("--replay", "yesterday"), "--replay"),
        (("--host", "0.0.0.0"), "deepcity account"),
        (("--certificate", "x.pem"), "give both"),
        (("--store", "mysql://a/b"), "duckdb:///"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_next_step(trained, more, words):  # noqa: F811
    found = deepcity("up", trained / "a.toml", *more)
    assert found.returncode in (1, 2)
    assert words in " ".join(found.stderr.split()), found.stderr
    assert "Traceback" not in found.stderr


def test_a_time_that_networks_learned_from_is_told(trained, tmp_path):  # noqa: F811
    early = ("--replay", "2021-02-20T00:00", "--state", tmp_path / "early", "--speed", "max")
    with running(trained, *early) as (client, _):
        party = client.get("/api/now").json()["parties"][0]
        assert party["gap"]["code"] == "time"
        assert "learned from" in party["gap"]["detail"]


def test_an_account_is_printed_with_its_hash():
    found = deepcity("account", "kim", "--role", "auditor", input="ten signs and more\n" * 2)
    assert 'role = "auditor"' in found.stdout, found.stderr
    assert "$argon2id$" in found.stdout
    assert "ten signs" not in found.stdout
