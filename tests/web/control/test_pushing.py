"""Rows that other systems send to a running city: over real HTTP."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import towns
from live_server import serving

from deepcity.data.city_file import check_city
from deepcity.live.feeds.feeds import open_feeds
from deepcity.live.node.clock import LiveClock
from deepcity.live.node.node import Node
from deepcity.live.node.open_node import sources_of
from deepcity.store.open_store import open_events
from deepcity.web.control.accounts.account_file import account_entry
from deepcity.web.control.accounts.accounts import load_accounts
from deepcity.web.control.app import create_control_room
from deepcity.web.control.pushing import PushRate
from deepcity.web.control.roles import Role

HOUR = 3600
PASSWORD = "correct horse battery"
SOURCE = 'format = "push"\nplace = "station"'
ROWS = "/api/sources/office/records/rows"
CSV = {"Content-Type": "text/csv"}


def write(folder, **settings):
    path = folder / "town.toml"
    path.write_text(towns.toml(source=SOURCE, **settings), encoding="utf-8")
    return path


def hour(back):
    """The start of an hour before the one that is now, as a text."""
    return time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(time.time() - back * HOUR))


def records(*flows, back=3):
    return [
        {"time": hour(back - n), "station": place, "flow": flow}
        for n, flow in enumerate(flows)
        for place in ("a", "b")
    ]


@pytest.fixture
def opened(tmp_path):
    """A node of a town whose rows are pushed, with no forecasters: (node, feeds)."""
    city_file, problems = check_city(write(tmp_path), later=True)
    assert not problems
    feeds = open_feeds(city_file)
    sources = sources_of((), city_file, tmp_path / "spool", replay=False, coming=feeds.trouble)
    with open_events(f"duckdb:///{tmp_path / 'city.duckdb'}") as events:
        node = Node(city_file, sources, (), events, LiveClock())
        node.tick()
        yield node, feeds
        feeds.close()
        node.close()


def test_rows_reach_the_node_at_its_next_step_once(opened, tmp_path):
    node, feeds = opened
    app = create_control_room(node, [], tmp_path / "state", None, feeds)
    with serving(app) as address:
        state = httpx.get(f"{address}/api/sources").json()[0]
        assert state["status"] == "waiting"
        assert "no row has come yet" in state["doubts"][0]["en"]
        assert ROWS in state["doubts"][0]["en"].replace("AGENCY", "office").replace(
            "SOURCE", "records"
        )
        key = {"Idempotency-Key": "one"}
        answers = [httpx.post(address + ROWS, json=records(1, 2), headers=key) for _ in range(2)]
        assert [one.status_code for one in answers] == [201, 200]
        assert answers[0].json() == {
            "rows": 4, "repeated": False, "other_places": 0, "near_places": {},
            "other_columns": [],
        }  # fmt: skip
        node.tick()
        assert node.panel("office").values_TNF[:, 0, 0].tolist() == [1, 2]
        assert httpx.get(f"{address}/api/sources").json()[0]["status"] == "fresh"
        assert node.tick() == 0
        httpx.post(address + ROWS, json=records(5, back=2))
        node.tick()
        assert node.panel("office").values_TNF[:, 0, 0].tolist() == [1, 5]
        other = httpx.post(address + ROWS, json=records(9), headers=key)
        assert other.status_code == 422


@pytest.mark.parametrize(
    ("path", "how", "status", "word"),
    [
        (ROWS, {"content": "time,station,flow\nx,a,1\n", "headers": CSV}, 422, "time"),
        (ROWS, {"content": "time,station,flow\n", "headers": {"Content-Type": "text/plain"}},
         415, "text/csv"),
        (ROWS, {"json": []}, 422, "list of objects"),
        (ROWS, {"content": b" " * 8_000_001, "headers": CSV}, 413, "8,000,000"),
        ("/api/sources/office/other/rows", {"json": []}, 404, "format"),
        ("/api/sources/nobody/records/rows", {"json": []}, 404, "agency"),
        (ROWS, {"json": [], "headers": {"Idempotency-Key": "k" * 256}}, 422, "255"),
    ],
)  # fmt: skip
def test_what_is_not_taken_is_answered_with_the_next_step(
    opened, tmp_path, path, how, status, word
):
    node, feeds = opened
    with serving(create_control_room(node, [], tmp_path / "state", None, feeds)) as address:
        found = httpx.post(address + path, **how)
        assert found.status_code == status, found.text
        assert word in found.text
        node.tick()
        assert not len(node.panel("office").time_T)


def test_a_program_with_the_role_source_may_send_rows_and_nothing_else(opened, tmp_path):
    node, feeds = opened
    path = tmp_path / "accounts.toml"
    path.write_text(account_entry("meters", Role.SOURCE, PASSWORD))
    app = create_control_room(node, [], tmp_path / "state", load_accounts(path), feeds)
    with serving(app) as address, httpx.Client(base_url=address) as client:
        assert client.post(ROWS, json=records(1)).status_code == 401
        basic = client.post(ROWS, json=records(4.0, back=5), auth=("meters", PASSWORD))
        assert basic.status_code == 201
        wrong = client.post(ROWS, json=records(5.0, back=6), auth=("meters", "other"))
        assert wrong.status_code == 401
        client.post("/api/session", json={"name": "meters", "password": PASSWORD})
        assert client.post(ROWS, json=records(1)).status_code == 201
        assert client.get("/api/city").status_code == 403


def test_a_source_that_sends_too_often_is_asked_to_wait():
    now = [0.0]
    rate = PushRate(2, lambda: now[0])
    assert [rate.allows("a") for _ in range(3)] == [True, True, False]
    assert rate.allows("b")
    now[0] = 60.0
    assert rate.allows("a")


def test_of_one_key_sent_by_many_at_once_one_batch_is_kept(opened, tmp_path):
    node, feeds = opened
    with serving(create_control_room(node, [], tmp_path / "state", None, feeds)) as address:

        def sent(flow):
            headers = {"Idempotency-Key": "one"}
            rows = records(flow, back=4)
            return httpx.post(address + ROWS, json=rows, headers=headers, timeout=60).status_code

        with ThreadPoolExecutor(12) as pool:
            same = sorted(pool.map(sent, [7.0] * 12))
        assert same == [200] * 11 + [201]
        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(sent, [8.0] * 4)) == {422}
        node.tick()
        assert node.panel("office").values_TNF[:, 0, 0].tolist() == [7.0]
