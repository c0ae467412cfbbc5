"""Subscriptions over HTTP, to a real receiver; a restart goes on; no other host is reached."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from live_city import node_in
from live_server import serving, wait_for

from deepcity.web.control.app import create_control_room
from deepcity.web.ngsi.problems import NgsiError
from deepcity.web.ngsi.subscriptions import notifier as notifier_module
from deepcity.web.ngsi.subscriptions.endpoints import allowed_host, check_endpoint

WATER = "WaterConsumptionObserved"


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.got.append((self.path, dict(self.headers), body))
        self.send_response(500 if self.path == "/broken" else 204)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def receiver():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.got = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def served(node, folder):
    with (
        serving(create_control_room(node, [], folder / "state")) as address,
        httpx.Client(base_url=f"{address}/ngsi-ld/v1", timeout=60) as client,
    ):
        yield client


def state(client, name):
    return client.get(f"/subscriptions/{name}").json()


def document(uri, **more):
    return {
        "type": "Subscription",
        "entities": [{"type": WATER, "idPattern": ".*:x:p0$"}],
        "notification": {"endpoint": {"uri": uri}},
        **more,
    }


def test_what_changes_is_sent_also_after_a_restart(trained, tmp_path):
    with receiver() as (server, url):
        with node_in(trained, tmp_path) as node, served(node, tmp_path) as client:
            node.tick()
            asked = document(f"{url}/water", watchedAttributes=["waterFlow"])
            made = client.post("/subscriptions/", json=asked)
            assert made.status_code == 201, made.text
            name = made.headers["Location"].rsplit("/")[-1]
            assert server.got == []
            node.tick()
            wait_for(lambda: server.got)
            path, headers, body = server.got[0]
            assert (path, body["type"], body["subscriptionId"]) == ("/water", "Notification", name)
            assert [one["id"] for one in body["data"]] == [f"urn:ngsi-ld:{WATER}:a:x:p0"]
            assert body["data"][0]["waterFlow"]["observedAt"] == "2021-03-09T00:00:00Z"
            assert "json-ld#context" in headers["Link"]
            wait_for(
                lambda: client.get(f"/subscriptions/{name}").json()["notification"]["timesSent"]
            )
        with node_in(trained, tmp_path) as node, served(node, tmp_path) as client:
            known = client.get("/subscriptions").json()
            assert [one["id"] for one in known] == [name]
            while len(server.got) < 2:
                node.tick()
            assert server.got[1][2]["data"][0]["waterFlow"]["observedAt"] > "2021-03-09T00:00:00Z"
            assert client.delete(f"/subscriptions/{name}").status_code == 204
            assert client.get(f"/subscriptions/{name}").status_code == 404


def test_an_endpoint_that_fails_is_tried_again_then_disabled(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(notifier_module, "_LONGEST_S", 0.01)
    with (
        receiver() as (server, url),
        node_in(trained, tmp_path) as node,
        served(node, tmp_path) as client,
    ):
        node.tick()
        name = "urn:ngsi-ld:Subscription:mine"
        made = client.post("/subscriptions", json=document(f"{url}/broken", id=name))
        assert made.headers["Location"].endswith(name)
        again = client.post("/subscriptions", json=document(url, id=name))
        assert (again.status_code, again.json()["type"].rsplit("/")[-1]) == (409, "AlreadyExists")
        node.tick()
        wait_for(lambda: client.get(f"/subscriptions/{name}").json()["status"] == "paused")
        found = client.get(f"/subscriptions/{name}").json()
        assert found["notification"]["status"] == "failed"
        assert "500" in found["notification"]["lastError"]
        assert len(server.got) == 8
        changed = {"isActive": True, "notification": {"endpoint": {"uri": f"{url}/good"}}}
        assert client.patch(f"/subscriptions/{name}", json=changed).status_code == 204
        assert client.get(f"/subscriptions/{name}").json()["status"] == "active"
        node.tick()
        wait_for(lambda: server.got[-1][0] == "/good")


@pytest.mark.parametrize(
    ("change", "status", "named"),
    [
        ({"type": "Nothing"}, 400, "type"),
        ({"entities": []}, 400, "all entities"),
        ({"timeInterval": 5}, 422, "timeInterval"),
        ({"q": "a>"}, 400, "q"),
        ({"secret": 1}, 400, "secret"),
        ({"expiresAt": "soon"}, 400, "soon"),
        ({"throttling": -1}, 400, "throttling"),
        ({"entities": [{"type": "x", "idPattern": "(a)"}]}, 400, "not allowed"),
        ({"id": "no uri"}, 400, "id"),
    ],
)
def test_a_subscription_that_cannot_be(client, change, status, named):
    found = client.post("/subscriptions", json={**document("http://127.0.0.1:9/x"), **change})
    assert found.status_code == status, found.text
    assert named in found.json()["title"]
    assert client.get("/subscriptions").json() == []


def test_a_subscription_whose_time_is_over_long_ago(client):
    over = document("http://127.0.0.1:9/x", expiresAt="0001-01-01T00:00:00+14:00")
    name = client.post("/subscriptions", json=over).headers["Location"].rsplit("/")[-1]
    assert state(client, name)["status"] == "expired"
    assert client.delete(f"/subscriptions/{name}").status_code == 204


@pytest.mark.parametrize(
    ("uri", "fits"),
    [
        ("http://127.0.0.1:9/x", True),
        ("http://localhost/x", True),
        ("https://[::1]:8443/", True),
        ("http://broker.example:9090/x", True),
        ("http://open.example:7/x", True),
        ("http://broker.example:80/x", False),
        ("http://169.254.169.254/latest", False),
        ("http://127.0.0.1@evil.example/", False),
        ("http://user:secret@127.0.0.1/", False),
        ("http://127.0.0.1.evil.example/", False),
        ("http://0.0.0.0/", False),
        ("http://[::ffff:10.0.0.1]/", False),
        ("http://2130706433/", False),
        ("http://evil.example\\@127.0.0.1/", False),
        ("file:///etc/passwd", False),
        ("mqtt://127.0.0.1", False),
        ("http://[", False),
        ("http://127.0.0.1:99999/", False),
        ("", False),
    ],
)
def test_where_notifications_may_go(uri, fits):
    allowed = (allowed_host("broker.example:9090"), allowed_host("open.example"))
    if fits:
        check_endpoint(uri, allowed)
        return
    with pytest.raises(NgsiError) as caught:
        check_endpoint(uri, allowed)
    assert "secret" not in caught.value.title


@pytest.mark.parametrize("text", ["", "a b", "http://x", "x:0", "x:70000", "x:y"])
def test_a_host_that_is_none(text):
    with pytest.raises(ValueError, match="is no host"):
        allowed_host(text)
