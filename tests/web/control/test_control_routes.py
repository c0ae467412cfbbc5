"""The control room over HTTP, in front of a real node."""

import json
import shutil
import threading

import httpx
import pytest
from case_room_world import desk_of
from live_city import HOUR, START, node_in
from live_server import serving
from searching_cities import make_world

from deepcity.web.control.app import create_control_room


@pytest.fixture
def node(open_node):
    found = open_node(speed=1e-6)
    found.tick()
    return found


@pytest.fixture
def client(node, tmp_path):
    app = create_control_room(node, [], tmp_path / "state")
    with serving(app) as address, httpx.Client(base_url=address, timeout=60) as found:
        yield found


@pytest.fixture(scope="module")
def reader(trained, tmp_path_factory):
    """A client of one node for all tests that change nothing of it."""
    folder = tmp_path_factory.mktemp("read")
    with node_in(trained, folder, speed=1e-6) as node:
        node.tick()
        app = create_control_room(node, [], folder / "state")
        with serving(app) as address, httpx.Client(base_url=address, timeout=60) as found:
            yield found


def get(client, path, **asked):
    found = client.get(f"/api/{path}", params=asked)
    assert found.status_code == 200, found.text
    return found.json()


def test_the_city_and_its_parties(reader):
    city = get(reader, "city")
    assert (city["name"], city["mode"], city["speed"]) == ("a", "replay", 1e-6)
    assert [one["task"] for one in city["services"]] == ["forecast"]
    party = next(one for one in city["parties"] if one["party"] == "a/x")
    assert (party["unit"], party["horizon"], party["step_s"]) == ("L/s", 6, HOUR)
    assert [place["id"] for place in party["places"]] == ["p0", "p1"]


def test_a_city_without_a_desk_of_cases_searches_for_nobody(reader):
    assert get(reader, "city")["searches"] is False
    found = reader.get("/api/cases")
    assert found.status_code == 404
    assert found.json()["errors"][0]["reason"] == "this city searches for nobody here"


def test_a_city_with_a_desk_of_cases_says_so(node, tmp_path):
    world = make_world(tmp_path / "world")
    app = create_control_room(node, [], tmp_path / "state", cases=desk_of(world))
    with serving(app) as address:
        assert httpx.get(f"{address}/api/city").json()["searches"] is True
        assert httpx.get(f"{address}/api/cases").json()["person"] == "incheon/local"


def test_now_frame_and_series(reader):
    assert get(reader, "now")["learning_since_s"] is None
    assert get(reader, "now")["first_learning_since_s"] is None
    now = get(reader, "now")["parties"][0]
    assert (now["status"], now["origin_s"], now["gap"]) == ("fresh", START, None)
    asked = {"service": "water", "party": "a/x"}
    before = get(reader, "frame", **asked, time=START - HOUR)
    assert (before["kind"], before["low"]) == ("measured", None)
    ahead = get(reader, "frame", **asked, time=START + HOUR)
    assert ahead["kind"] == "forecast"
    assert all(low <= value for low, value in zip(ahead["low"], ahead["value"], strict=True))
    nothing = get(reader, "frame", **asked, time=START + 90 * HOUR)
    assert nothing["value"] == [None, None]
    line = get(reader, "series", **asked, place="p0", since=START - 3 * HOUR, until=START)
    assert len(line["measured"]["value"]) == 3
    assert len(line["forecast"]["value"]) == 6


def test_the_map_says_what_is_shared_and_what_passed(node, trained, tmp_path):
    app = create_control_room(node, [trained / "run"], tmp_path / "state")
    with serving(app) as address, httpx.Client(base_url=address, timeout=60) as client:
        found = {one["party"]: one for one in get(client, "map")["parties"]}
    assert set(found) == {"a/x", "a/y"}
    for one in found.values():
        assert one["granted_to"] == "head"
        assert 0 < one["sent_bytes"] < 1 << 30
        assert 0 < one["received_bytes"] < 1 << 30


def test_a_site_of_a_federation_shows_its_own_parties(node, trained, tmp_path):
    """Others' results, and the bytes, are the hub's; a damaged result costs its party alone."""
    folder = tmp_path / "site"
    shutil.copytree(trained / "run", folder)
    for of_the_hub in ("results.json", "rounds.json"):
        (folder / of_the_hub).unlink()
    app = create_control_room(node, [folder], tmp_path / "state")
    with serving(app) as address, httpx.Client(base_url=address, timeout=60) as client:
        found = get(client, "map")
        assert [one["party"] for one in found["parties"]] == ["a/x", "a/y"]
        assert {one["sent_bytes"] for one in found["parties"]} == {None}
        assert all(one["change"] is not None for one in found["parties"])
        assert found["services"][0]["title"]["en"] != found["services"][0]["name"]
        next(folder.glob("sites/*x*/result.json")).write_text("{")
        damaged = get(client, "map")
        (left,) = [one for one in damaged["parties"] if one["change"] is not None]
        assert left["party"] == "a/y"
        assert [one["file"] for one in damaged["unread"]] == ["site/sites/a.x/result.json"]


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        ("frame", {"service": "water", "party": "a/z", "time": 0}, 404),
        ("frame", {"service": "water", "party": "a/x", "time": "²"}, 422),
        ("frame", {"service": "water", "party": "a/x", "time": -1}, 422),
        ("frame", {"service": "water", "party": "a/x", "time": 1 << 70}, 422),
        ("frame", {"service": "water", "party": "a/x", "time": 0, "known": 5}, 404),
        ("series", {"service": "water", "party": "a/x", "place": "?", "since": 0, "until": 1}, 404),
        (
            "series",
            {"service": "water", "party": "a/x", "place": "p0", "since": 0, "until": 1 << 39},
            404,
        ),
        ("decisions", {"limit": 0}, 422),
        ("decisions", {"status": "maybe"}, 422),
        ("incidents/77", {}, 404),
        ("events", {"kind": "none"}, 422),
    ],
)
def test_what_cannot_be_answered_says_why(reader, path, asked, status):
    found = reader.get(f"/api/{path}", params=asked)
    assert found.status_code == status
    assert all(one["reason"] and one["next"] for one in found.json()["errors"])


def test_a_decision_is_confirmed_undone_and_rejected(client):
    found = get(client, "decisions")
    waiting = [one for one in found if one["status"] == "waiting"]
    assert waiting, found
    number = waiting[0]["id"]
    assert get(client, "decisions", service=waiting[0]["service"]) == found
    assert get(client, "decisions", service="traffic") == []
    assert waiting[0]["reasons"][0]["text"]["ko"]
    assert waiting[0]["evidence"][0]["age_s"] == 0

    def answer(kind, comment=""):
        body = {"answer": kind, "comment": comment}
        return client.post(f"/api/decisions/{number}/answers", json=body)

    assert answer("confirm", "물탱크").json()["status"] == "confirmed"
    again = answer("confirm")
    assert again.status_code == 409, "it is confirmed already"
    assert again.json()["decision"]["status"] == "confirmed"
    assert again.json()["errors"][0]["next"] == "undo the answer first"
    assert answer("undo").json()["status"] == "waiting"
    assert answer("reject").json()["answers"][-1]["who"] == "local"
    kinds = [one["kind"] for one in get(client, "events", after=0, limit=1000)]
    assert kinds.count("answer") == 3
    assert answer("maybe").status_code == 422
    assert client.post("/api/decisions/1/answers", content=b'"\\ud800"').status_code == 422


def test_incidents_and_the_handover(client):
    made = client.post("/api/incidents", json={"title": "burst main", "party": "a/x"}).json()
    path = f"/api/incidents/{made['id']}/entries"
    task = client.post(path, json={"kind": "task", "text": "close the valve"}).json()["entries"][-1]
    drawn = {"type": "Point", "coordinates": [127.0, 37.5]}
    client.post(path, json={"kind": "drawing", "geometry": drawn})
    assert client.post(path, json={"kind": "seen"}).status_code == 404  # by a route of its own
    assert client.post(path, json={"kind": "done", "text": "x", "task": 9}).status_code == 404
    done = client.post(path, json={"kind": "done", "task": task["seq"]})
    assert done.status_code == 201, "no words are needed"
    whole = client.post(path, json={"kind": "close"}).json()
    assert [one["kind"] for one in whole["entries"]] == [
        "open",
        "task",
        "drawing",
        "done",
        "close",
    ]
    assert whole["entries"][2]["geometry"] == drawn
    assert whole["closed_s"] is not None
    assert client.post(path, json={"kind": "note", "text": "late"}).status_code == 404
    client.post("/api/handover/notes", json={"text": "밸브 확인"})
    shift = get(client, "handover", since=0)
    assert shift["notes"][0]["text"] == "밸브 확인"
    left = shift["open"]
    assert len(left["alarms"]) == shift["alarms"]["open"]
    assert len(left["decisions"]) == shift["decisions"]["waiting"]
    assert left["alarms"] == get(client, "alarms")
    assert left["decisions"] == get(client, "decisions", status="waiting")
    assert shift["decisions"]["made"] == 2


def test_events_come_as_they_happen_and_resume(client, node):
    """A client that was away gets what it missed, in order."""

    def read(count, **headers):
        found = []
        with client.stream("GET", "/api/stream", headers=headers) as reply:
            kind = ""
            for line in reply.iter_lines():
                if line.startswith("event:"):
                    kind = line.partition(":")[2].strip()
                elif line.startswith("data:") and kind != "clock":
                    found.append(json.loads(line.partition(":")[2]))
                    if len(found) == count:
                        return found
        return found

    before = node.last
    threading.Timer(0.5, lambda: client.post("/api/handover/notes", json={"text": "now"})).start()
    assert read(1)[0]["kind"] == "note"
    again = read(node.last - before + 2, **{"Last-Event-ID": str(before - 2)})
    assert [one["seq"] for one in again] == list(range(before - 1, node.last + 1))


def test_counters(client, node):
    text = client.get("/metrics").text
    assert f"deepcity_events {float(node.last)}" in text
    assert 'deepcity_source_lag_seconds{agency="x"} 0.0' in text


def test_every_answer_forbids_what_is_elsewhere(reader):
    for path in ("/api/city", "/health", "/api/none"):
        assert "default-src 'self'" in reader.get(path).headers["Content-Security-Policy"]


def test_the_description_of_the_api_names_the_routes(reader):
    assert "/api/decisions/{number}/answers" in reader.get("/openapi.json").json()["paths"]
