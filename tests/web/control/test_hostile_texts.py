"""Texts that no database, page or message can hold, at every door that takes one."""

import json

import httpx
import pytest
from live_server import serving

from deepcity.web.control.app import create_control_room

TEXTS = (
    "a\x00b",
    "\x00",
    "\ud800",
    "x\udfff",
    "\ufffe\U0010ffff",
    "\u202e<b>'--",
    "\x1b[31m",
    "가\r\n",
)


@pytest.fixture(params=["duckdb", "postgresql"])
def client(request, open_node, tmp_path):
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    node = open_node(url, speed=1e-6)
    node.tick()
    with (
        serving(create_control_room(node, [], tmp_path / "state")) as address,
        httpx.Client(base_url=address, timeout=60) as found,
    ):
        yield found


def bodies(text, number):
    point = {"type": "Point", "coordinates": [1, 2], text: text}
    subscription = {
        "type": "Subscription", "watchedAttributes": [text], "description": text,
        "notification": {"endpoint": {"uri": "http://127.0.0.1:9/"}},
    }  # fmt: skip
    yield "/api/handover/notes", {"text": text}
    yield "/api/incidents", {"title": text, "service": text, "party": text}
    yield f"/api/incidents/{number}/entries", {"kind": "note", "text": text}
    yield f"/api/incidents/{number}/entries", {"kind": "drawing", "text": "x", "geometry": point}
    yield "/api/decisions/1/answers", {"answer": "confirm", "comment": text}
    yield "/api/alarms/1/changes", {"change": "assign", "to": text, "comment": text}
    yield "/api/session", {"name": text, "password": text}
    yield "/ngsi-ld/v1/subscriptions", subscription
    yield "/ngsi-ld/v1/entityOperations/query", {"type": "Query", "entities": [{"type": text}]}


def test_no_text_is_a_fault_of_the_node(client):
    number = client.post("/api/incidents", json={"title": "real"}).json()["id"]
    for text in TEXTS:
        for path, body in bodies(text, number):
            content = json.dumps(body).encode()
            found = client.post(path, content=content, headers={"Content-Type": "application/json"})
            assert found.status_code < 500, (path, text, found.text)
        raw = text.encode("utf-8", "surrogatepass")
        name = "".join(f"%{byte:02x}" for byte in raw)
        for path in ("/api/frame", "/api/series", "/api/export"):
            url = f"{path}?service={name}&party={name}&place={name}&time=0&since=0&until=9"
            assert client.get(url).status_code < 500, url
        for path in ("entities", "types", "attributes", "subscriptions", "temporal/entities"):
            assert client.get(f"/ngsi-ld/v1/{path}/{name}").status_code < 500
    long = "".join(map(chr, range(0xAC00, 0xAC00 + 4000)))
    assert client.post("/api/handover/notes", json={"text": long}).status_code == 201
    for path in ("/api/handover?since=0", "/api/incidents", "/api/events", "/api/alarms?state=all"):
        assert client.get(path).status_code == 200, path
    assert len(client.get("/api/incidents").json()) >= 1
