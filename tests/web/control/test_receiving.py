"""Deep data sent to a node's server: a token of the access file opens the door, and no log-in."""

import httpx
import numpy as np
import pytest
from live_server import TOKENS, access, serving
from live_town import HOUR, NOW, START
from node_town import city_folder, town_node

from deepcity.live.wire import BLOB, cell_names, pack_deep
from deepcity.store.deep_data.batch import DeepData
from deepcity.web.control.accounts.account_file import account_entry
from deepcity.web.control.accounts.accounts import load_accounts
from deepcity.web.control.app import create_control_room
from deepcity.web.control.roles import Role

PASSWORD = "correct horse battery"


@pytest.fixture
def sending(town_trained, tmp_path):
    """A node's server with accounts, and a function that sends it an hour of the weather."""
    city = city_folder(tmp_path / "city", (NOW - START) // HOUR, town_trained.fused_file)
    accounts = tmp_path / "accounts.toml"
    accounts.write_text(account_entry("kim", Role.ADMIN, PASSWORD))
    package, url = town_trained.encoders["weather"], f"duckdb:///{tmp_path / 'city.duckdb'}"
    cell, vector = cell_names(package.cells)[:1], np.array([[0.1, 0.2, 0.3]], np.float32)
    body = pack_deep(DeepData(package.space, np.array([NOW]), cell, vector))
    with town_node(city, access(), lambda: NOW + 60, url) as node:
        app = create_control_room(node, [], tmp_path / "state", load_accounts(accounts))
        with serving(app) as address, httpx.Client(base_url=address) as client:

            def send(token="", content=body, kind=BLOB):
                headers = {"Content-Type": kind} | (
                    {"Authorization": f"Bearer {token}"} if token else {}
                )
                asked = {"space": str(package.space)}
                return client.post("/deep-data", params=asked, content=content, headers=headers)

            yield client, send


def test_a_token_is_needed_and_a_session_is_none(sending):
    client, send = sending
    client.post("/api/session", json={"name": "kim", "password": PASSWORD}).raise_for_status()
    assert client.get("/api/city").status_code == 200
    assert send().status_code == 401
    client.cookies.clear()
    assert send(token=TOKENS["weather"]).json()["new"] == 1
    found = client.get("/api/sources", headers={"Authorization": f"Bearer {TOKENS['weather']}"})
    assert found.status_code == 401  # and a token opens nothing else


def test_the_limits_are_those_of_an_application(sending):
    _, send = sending
    token = TOKENS["weather"]
    assert send(token, b"[" * 1_000_001, "application/json").status_code == 413
    assert send(token, b"\0" * 7_000_000).status_code == 422  # read: other routes take 1 MB
    found = send(token, b"\0" * 8_000_001)
    assert found.status_code == 413
    assert "8,000,000 bytes at most" in found.json()["errors"][0]["reason"]


def test_the_sources_page_and_the_metrics_show_its_age(sending):
    client, send = sending
    send(TOKENS["weather"])
    client.post("/api/session", json={"name": "kim", "password": PASSWORD})
    found = {one["agency"]: one for one in client.get("/api/sources").json()}
    assert found["metro"]["deep"] is None
    weather = found["weather"]
    assert (weather["status"], weather["newest_s"], weather["rows"]) == ("fresh", NOW, None)
    assert weather["title"] == {"en": "Weather", "ko": "날씨"}
    assert weather["deep"]["service"] == "ridership"
    assert (weather["deep"]["layer"], weather["deep"]["width"]) == ("h3", 3)
    assert found["gates"]["status"] == "waiting"
    line = 'deepcity_deep_data_age_seconds{agency="weather",party="town/metro",service="ridership"}'
    assert f"{line} 60.0" in client.get("/metrics").text


def test_a_node_without_an_access_file_says_so(open_node, tmp_path):
    node = open_node(speed=1e-6)
    with serving(create_control_room(node, [], tmp_path / "state")) as address:
        found = httpx.post(f"{address}/deep-data", params={"space": "a/b/c/h3@1"})
    assert found.status_code == 401
    assert "--access" in found.json()["errors"][0]["next"]
