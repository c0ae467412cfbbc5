"""Subscriptions over HTTP, to a real receiver; a restart goes on; no other host is reached."""

import asyncio
import json
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from live_city import START, node_in
from live_server import serving, wait_for

from deepcity.store.events.event import EventDraft, EventKind
from deepcity.web.control.accounts.account_file import account_entry
from deepcity.web.control.accounts.accounts import load_accounts
from deepcity.web.control.app import create_control_room
from deepcity.web.control.roles import Role
from deepcity.web.ngsi.problems import NgsiError
from deepcity.web.ngsi.subscriptions import notifier as notifier_module
from deepcity.web.ngsi.subscriptions.endpoints import address_of, allowed_host, check_endpoint

PASSWORD = "correct horse battery"
WATER = "WaterConsumptionObserved"


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        if self.path == "/hang":
            with self.server.lock:
                self.server.hanging.append(self.connection)
                still = [one for one in self.server.hanging if is_open(one)]
                self.server.at_once.append(len(still))
            self.server.over.wait()
            return
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.got.append((self.path, dict(self.headers), body))
        self.send_response(500 if self.path == "/broken" else 204)
        self.end_headers()

    def log_message(self, *_):
        pass


def is_open(connection):
    """Whether the one who asks still waits; what was sent is read first."""
    try:
        while connection.recv(1 << 20, socket.MSG_DONTWAIT):
            pass
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@contextmanager
def receiver():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.got, server.hanging, server.over = [], [], threading.Event()
    server.at_once, server.lock = [], threading.Lock()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.over.set()
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
        ("http://127.0.0.1:9/x", False),  # of others than who sits at this machine
        ("http://localhost/x", False),
        ("https://[::1]:8443/", False),
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


@pytest.mark.parametrize(
    "host", ["2130706433", "127.1", "0x7f.1", "0", "0xa9fea9fe", "[::ffff:127.0.0.1]", "[fe80::1]"]
)
def test_a_host_that_leads_to_this_machine_is_refused_also_where_it_was_named(host):
    """As a name does whose address was changed after the node was started."""
    uri = f"http://{host}:9/x"
    check_endpoint(uri, (allowed_host(host),))
    with pytest.raises(NgsiError, match="leads to"):
        asyncio.run(address_of(uri))


def test_with_accounts_this_machine_is_a_host_like_others(trained, tmp_path):
    """Else whoever may subscribe could post to every local service."""
    path = tmp_path / "accounts.toml"
    path.write_text(account_entry("kim", Role.OPERATOR, PASSWORD))
    with node_in(trained, tmp_path) as node:
        node.tick()
        for notify, status in (((), 400), ((allowed_host("127.0.0.1:9"),), 201)):
            app = create_control_room(
                node, [], tmp_path / "state", load_accounts(path), notify=notify
            )
            with serving(app) as address:
                found = httpx.post(
                    f"{address}/ngsi-ld/v1/subscriptions",
                    json=document("http://127.0.0.1:9/x"),
                    auth=("kim", PASSWORD),
                    timeout=60,
                )
                assert found.status_code == status, found.text


def test_slow_receivers_do_not_keep_others_waiting(trained, tmp_path):
    with (
        receiver() as (server, url),
        node_in(trained, tmp_path) as node,
        served(node, tmp_path) as client,
    ):
        node.tick()
        assert client.post("/subscriptions", json=document(f"{url}/good")).status_code == 201
        node.tick()
        wait_for(lambda: server.got)
        for _ in range(12):  # more than are sent at once
            endpoint = {"uri": f"{url}/hang", "timeout": 10_000}
            slow = {**document(url), "notification": {"endpoint": endpoint}}
            assert client.post("/subscriptions", json=slow).status_code == 201
        node.keep([EventDraft(EventKind.NOTE, "note/1", START, body={"text": "nothing for them"})])
        time.sleep(1)  # they are looked at, and sent nothing: that shows no endpoint to be quick
        node.tick()
        wait_for(lambda: server.hanging)
        before = len(server.got)
        node.tick()
        wait_for(lambda: len(server.got) > before)
        assert max(server.at_once) <= 4  # the other turns are for those that are quick


def test_there_are_at_most_so_many(client, monkeypatch):
    monkeypatch.setattr("deepcity.web.ngsi.subscriptions.subscription.MOST", 3)
    names = []
    for _ in range(3):
        made = client.post("/subscriptions", json=document("http://127.0.0.1:9/x"))
        names.append(made.headers["Location"].rsplit("/")[-1])
    more = client.post("/subscriptions", json=document("http://127.0.0.1:9/x"))
    assert (more.status_code, more.json()["type"].rsplit("/")[-1]) == (403, "TooManyResults")
    for name in names:
        assert client.delete(f"/subscriptions/{name}").status_code == 204
