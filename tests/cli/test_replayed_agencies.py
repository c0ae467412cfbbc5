"""Agencies' own processes in a replay: they go by the node's time, also when it is killed."""

import httpx
import pytest
from fastapi import FastAPI, Response
from live_server import TOKENS, agency_process, free_port, run_once, serving
from live_town import DAY, DAYS, HOUR, NOW
from node_process import running
from node_town import access_file, city_folder

from deepcity.city.errors import ConfigError, LiveError
from deepcity.cli.running.checked import GivenPaths, check_given
from deepcity.live.replayed_rows import CLOCK, NodeTime, ReplayedRows
from deepcity.store.open_store import open_store

REPLAY = ("--replay", "2024-05-25T00:00", "--speed", "7200")  # NOW, two hours a second
SINCE = ("--since", "2024-05-24T00:00:00Z")


@pytest.fixture
def node(town_trained, tmp_path):
    """A node that replays the metro's rows, and takes deep data."""
    city = city_folder(tmp_path / "city", DAYS * 24, town_trained.fused_file)
    access = access_file(tmp_path / "access.toml", "ridership")
    with running(city, *REPLAY, "--access", access, "--state", tmp_path / "state") as node:
        yield node


def fresh(node, agency="weather"):
    """Origins that were forecast with an agency's deep data."""
    events = node.ask("/api/events", kind="forecast", limit=1000) or []
    return {
        one["body"]["origin_s"]
        for one in events
        for state in one["body"].get("agencies", ())
        if (state["agency"], state["status"]) == (agency, "fresh")
    }


def test_an_agency_follows_a_replay_that_is_killed_and_goes_on(town_trained, tmp_path, node):
    folder = tmp_path / "office"
    town_trained.copy_to(folder, DAYS * 24)
    agency = agency_process(town_trained, "weather", folder, node.address, "--replay", *SINCE)
    try:
        node.wait(lambda: len(fresh(node)) > 1)
        node.kill()
        node.start()
        node.wait()
        before = max(fresh(node))
        node.wait(lambda: max(fresh(node)) > before + HOUR)
        node.stop()
    finally:
        agency.kill()
        agency.communicate()
    space = town_trained.encoders["weather"].space
    with open_store(f"duckdb:///{tmp_path / 'state' / 'city-deep.duckdb'}", lambda *_: True) as db:
        times = db.read(space, None, 0, 2 * NOW, reader="ridership").time_R.tolist()
    assert times == list(range(NOW - DAY, times[-1] + 1, HOUR))  # each once, none left out


def test_who_goes_by_another_clock_is_helped(town_trained, tmp_path, node):
    folder = tmp_path / "office"
    town_trained.copy_to(folder, 24 * 24)
    found = run_once(town_trained, "weather", folder, node.address)
    assert found.exit_code == 1
    assert "with --replay: it goes by that time then" in found.output
    found = httpx.get(f"{node.address}{CLOCK}", trust_env=False)
    assert found.status_code == 401  # nor is the time for everybody
    right = {"Authorization": f"Bearer {TOKENS['weather']}"}
    found = httpx.get(f"{node.address}{CLOCK}", headers=right, trust_env=False).json()
    assert found["mode"] == "replay"
    assert NOW <= found["now_s"] < NOW + 4 * DAY


@pytest.mark.parametrize(
    ("answer", "sent_s", "words"),
    [
        ({"mode": "live", "now_s": NOW}, None, "leave out --replay"),
        ({"mode": "replay", "now_s": NOW}, NOW + 1, "if this replay begins anew"),
        ({"mode": "replay", "now_s": "soon"}, None, "name a node of"),
        ({"mode": "replay"}, None, "name a node of"),
        ([], None, "name a node of"),
        ({"mode": "replay", "now_s": True}, None, "no time"),
        ({"mode": "replay", "now_s": 10**30}, NOW, "no time"),
        ({"mode": "replay", "now_s": -(10**30)}, NOW, "no time"),
        ({"mode": "replay", "now_s": NOW, "more": "x" * 10**6}, None, "no time"),
        (Response(b'{"mode": "replay", "now_s": 1e999}'), None, "no time"),
        (Response(b'{"mode": "replay", "now_s": NaN}'), None, "no time"),
        (Response(b"[" * 9999), None, "no time"),
        (Response(b"\xff" * 99), None, "no time"),
        (Response(status_code=307, headers={"Location": "http://127.0.0.1:1"}), None, "HTTP 307"),
    ],
)
def test_a_time_that_cannot_be_gone_by_is_refused(answer, sent_s, words):
    app = FastAPI()
    app.add_api_route(CLOCK, lambda: answer)
    with serving(app) as address:
        clock = NodeTime(address, lambda: "token", lambda: sent_s)
        with pytest.raises(LiveError, match=f"(?i){words}"):
            clock.now()
        clock.close()
    with pytest.raises(LiveError, match="cannot be reached"):
        clock.now()
    clock.close()


def test_no_row_is_read_before_it_is_over(town_trained):
    rows = ReplayedRows(town_trained.panel("weather"))
    assert rows.poll(NOW - 40 * DAY) is None
    assert int(rows.poll(NOW + HOUR - 1).time_T[-1]) == NOW - HOUR
    assert rows.poll(NOW + HOUR - 1) is None
    assert int(rows.poll(NOW + HOUR).time_T[-1]) == NOW


def test_a_replay_names_records_that_are_missing_and_nobody_sends(town_trained, tmp_path):
    """The weather and the gates send; without the gates' entry their records are asked for."""
    city = city_folder(tmp_path / "city", DAYS * 24, town_trained.fused_file)
    access = access_file(tmp_path / "access.toml", "ridership")
    entries = access.read_text().split("[[agency]]")
    access.write_text("[[agency]]".join(one for one in entries if '"gates"' not in one))
    given = GivenPaths(city, (), None, None, access, None, None)
    with pytest.raises(ConfigError, match=r"gates\.csv") as found:
        check_given(given, "127.0.0.1", free_port(), None, replay=True)
    assert "sky.csv" not in str(found.value)
    assert check_given(given, "127.0.0.1", free_port(), None, replay=False).allowed is not None
