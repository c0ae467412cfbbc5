"""`deepcity up`: a real process that people start, look at and stop."""

import signal
import socket

import pytest
from live_city import START
from live_server import free_port
from node_process import running
from processes import FROM_NOTHING, deepcity

from deepcity.store.events.event import EventKind, EventQuery
from deepcity.store.open_store import open_events


def test_it_runs_is_stopped_and_goes_on(trained, tmp_path):
    replay = ("--replay", "2021-03-09T00:00", "--state", tmp_path / "state", "--speed", "max")
    with running(trained / "a.toml", *replay, program=FROM_NOTHING) as node:
        node.wait(lambda: len(node.ask("/api/decisions")) >= 4)
        assert node.ask("/api/city")["mode"] == "replay"
        assert node.stop() in (0, 130)
    with running(trained / "a.toml", *replay) as node:
        before = node.ask("/api/events", kind="forecast", limit=1)
        assert before[0]["body"]["origin_s"] == START
        node.stop(signal.SIGTERM)
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
        (("--store-password-file", "none"), "add --store postgresql://USER@HOST"),
        (
            ("--store", "postgresql://city@db/x", "--store-password-file", "no", "--run", "none"),
            "2 problems",
        ),
        (("--keep-days", "3", "--replay", "2021-03-09T00:00"), "add --access FILE"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_next_step(trained, more, words):
    found = deepcity("up", trained / "a.toml", "--port", free_port(), *more)
    assert found.returncode in (1, 2)
    assert words in " ".join(found.stderr.split()), found.stderr
    assert "Traceback" not in found.stderr


def test_a_port_that_is_taken_is_named_before_long_work(trained, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        state = tmp_path / "state"
        found = deepcity("up", trained / "a.toml", "--port", port, "--state", state)
    assert found.returncode == 1
    assert f"--port = {port}" in " ".join(found.stderr.split())
    assert "give another --port" in " ".join(found.stderr.split())
    assert not state.exists()


def test_of_recorded_days_it_says_how_to_play_them(trained, tmp_path):
    state = ("--state", tmp_path / "state")
    with running(trained / "a.toml", *state) as node:
        node.wait(lambda: "add --replay 2021-03-10T00:00" in " ".join(node.log.read_text().split()))
        assert "The newest records are of 2021-03-12 00:00" in node.log.read_text()


def test_a_time_that_networks_learned_from_is_told(trained, tmp_path):
    early = ("--replay", "2021-02-20T00:00", "--state", tmp_path / "early", "--speed", "max")
    with running(trained / "a.toml", *early) as node:
        party = node.ask("/api/now")["parties"][0]
        assert party["gap"]["code"] == "time"
        assert "learned from" in party["gap"]["detail"]
        node.wait(lambda: "begins among days" in " ".join(node.log.read_text().split()))
        log = " ".join(node.log.read_text().split())
        assert log.count("the networks of a/x, a/y learned from") == 1
        assert "give --replay 2021-03-04T00:00 and another --state" in log
        assert "Warning" not in log


def test_an_account_is_printed_with_its_hash():
    password = "ten signs and more\n" * 2
    found = deepcity("account", "kim", "--role", "auditor", program=FROM_NOTHING, input=password)
    assert 'role = "auditor"' in found.stdout, found.stderr
    assert "$argon2id$" in found.stdout
    assert "ten signs" not in found.stdout
