"""Every route of the control room is in the table of roles, and asked as the table says."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import pytest
from argon2.exceptions import InvalidHashError
from live_city import START
from live_server import serving

from deepcity.city.errors import ConfigError
from deepcity.web.control.accounts.account_file import account_entry
from deepcity.web.control.accounts.accounts import Accounts, load_accounts
from deepcity.web.control.app import create_control_room
from deepcity.web.control.roles import ALL, BY_TOKEN, OPEN, RIGHTS, Role, may

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def accounts(tmp_path_factory):
    path = tmp_path_factory.mktemp("accounts") / "accounts.toml"
    path.write_text("\n".join(account_entry(f"a-{role.value}", role, PASSWORD) for role in Role))
    return load_accounts(path)


@pytest.fixture
def app(open_node, accounts, tmp_path):
    node = open_node(speed=1e-6)
    node.tick()
    return create_control_room(node, [], tmp_path / "state", accounts)


def every(found):
    """Routes, also those of routers that are part of another, in the schema or not."""
    for one in found:
        inner = getattr(one, "original_router", None)
        yield from [one] if inner is None else every(inner.routes)


def routes(app):
    """(method, path) of every route but the page's own files."""
    found = {
        (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    }
    for route in every(app.routes):
        for method in getattr(route, "methods", None) or ():
            if method not in ("HEAD", "OPTIONS"):
                found.add((method, route.path))
    return found


def test_the_table_names_every_route_and_no_other(app):
    known = set(RIGHTS) | OPEN | BY_TOKEN
    assert routes(app) - known == set()
    assert set(RIGHTS) | BY_TOKEN <= routes(app)


def test_every_route_is_documented():
    text = (Path(__file__).parents[3] / "docs" / "reference.md").read_text(encoding="utf-8")
    named = {
        (method, path.rstrip("/")) for method, path in {*RIGHTS, *BY_TOKEN} if "{rest" not in path
    }
    lacking = [f"{method} {path}" for method, path in named if f"`{method} {path}" not in text]
    assert lacking == ["GET /openapi.json"] or not lacking


def test_each_role_gets_what_the_table_says(app, tmp_path):
    """Over HTTP: 401 for nobody, 403 where the role has no right, and never a 500."""
    with serving(app) as address:
        for method, path in sorted(routes(app) - OPEN - {("GET", "/api/stream")}):
            url = address + path.replace("{number}", "1")
            assert httpx.request(method, url).status_code == 401, (method, path)
        for role in Role:
            with httpx.Client(base_url=address) as client:
                found = client.post(
                    "/api/session", json={"name": f"a-{role.value}", "password": PASSWORD}
                )
                assert found.json() == {"name": f"a-{role.value}", "role": role.value}
                for method, path in sorted(set(RIGHTS) - {("GET", "/api/stream")}):
                    got = client.request(method, path.replace("{number}", "1")).status_code
                    allowed = may(role, method, path)
                    assert (got == 403) is not allowed, (role, method, path, got)
                    assert got < 500
                for method, path in BY_TOKEN:  # no person's log-in opens them
                    found = client.request(method, path, params={"space": "a/b/c/h3@1"})
                    assert found.status_code == 401, (role, method, path)


def test_by_http_basic_a_role_gets_no_more_than_by_a_session(app):
    """On routes for people it opens nothing; on those for programs the table counts."""
    table = sorted(set(RIGHTS) - {("GET", "/api/stream")})
    with serving(app) as address, httpx.Client(base_url=address, timeout=60) as client:
        for role in Role:
            auth, programs = (f"a-{role.value}", PASSWORD), 0
            for method, path in table:
                url = path.replace("{number}", "1")
                got = client.request(method, url, auth=auth).status_code
                if got == 401:  # a route for people
                    continue
                programs += 1
                assert (got == 403) is not may(role, method, path), (role, method, path, got)
                assert got < 500, (method, path)
            assert programs > 15
        for header in ("Basic", "Basic x", "Basic Og==", "basic " + "x" * 3000, "Bearer x"):
            headers = {"Authorization": header}
            assert client.get("/ngsi-ld/v1/types", headers=headers).status_code == 401, header


def test_a_cookie_that_was_changed_counts_for_nobody(app):
    with serving(app) as address, httpx.Client(base_url=address) as client:
        client.post("/api/session", json={"name": "a-admin", "password": PASSWORD})
        assert client.get("/api/city").status_code == 200
        cookie = client.cookies["deepcity"]
        client.cookies.clear()
        client.cookies.set("deepcity", cookie[:-2] + ("aa" if cookie[-2:] != "aa" else "bb"))
        assert client.get("/api/city").status_code == 401


def test_a_wrong_password_and_a_stranger_are_answered_alike(app):
    with serving(app) as address:
        asked = [
            {"name": "a-admin", "password": "wrong"},
            {"name": "nobody", "password": PASSWORD},
        ]
        found = [httpx.post(f"{address}/api/session", json=one) for one in asked]
        assert [one.status_code for one in found] == [401, 401]
        reasons = [one.json()["errors"][0]["reason"] for one in found]
        assert len(set(reasons)) == 1


def test_after_five_failures_a_name_is_closed_for_a_while(accounts):
    now = [0.0]
    watched = Accounts(accounts.entries, clock=lambda: now[0])
    for _ in range(5):
        assert watched.check("a-admin", "wrong") is None
    assert watched.check("a-admin", PASSWORD) is None
    now[0] = 31.0
    assert watched.check("a-admin", PASSWORD).role is Role.ADMIN


def test_of_many_guesses_at_once_five_are_verified(accounts, monkeypatch):
    verified = []

    class Slow:
        def verify(self, _hash, password):
            verified.append(password)
            time.sleep(0.05)
            raise InvalidHashError

    monkeypatch.setattr("deepcity.web.control.accounts.accounts.HASHER", Slow())
    watched = Accounts(accounts.entries)
    with ThreadPoolExecutor(20) as guessing:
        assert set(guessing.map(partial(watched.check, "a-admin"), map(str, range(20)))) == {None}
    assert len(verified) == 5


def test_without_accounts_whoever_sits_at_the_machine_may_do_all(open_node, tmp_path):
    node = open_node(speed=1e-6)
    node.tick()
    app = create_control_room(node, [], tmp_path / "state")
    with serving(app) as address:
        found = httpx.get(f"{address}/api/city").json()
        assert found["user"] == {"name": "local", "role": "admin"}
        assert found["now_s"] == START


def test_a_role_without_the_route_in_the_table_has_no_right():
    assert not any(may(role, "GET", "/api/everything") for role in ALL)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "account"),
        ('[[account]]\nname = "a"\nrole = "king"\npassword = "$argon2id$x"', "role"),
        ('[[account]]\nname = "a"\nrole = "admin"\npassword = "plain words"', "no argon2id hash"),
    ],
)
def test_a_file_of_accounts_with_faults(tmp_path, text, reason):
    path = tmp_path / "accounts.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=reason) as caught:
        load_accounts(path)
    assert "plain words" not in str(caught.value)


def test_two_entries_of_one_name_and_a_short_password_are_refused(tmp_path):
    path = tmp_path / "accounts.toml"
    path.write_text(account_entry("kim", Role.ADMIN, PASSWORD) * 2)
    with pytest.raises(ConfigError, match="two entries"):
        load_accounts(path)
    with pytest.raises(ConfigError, match="at least 10"):
        account_entry("kim", Role.ADMIN, "short")


def test_a_page_from_elsewhere_cannot_act_without_accounts(open_node, tmp_path):
    """Neither under a name of its own (DNS rebinding), nor by a form, which sends no JSON."""
    node = open_node(speed=1e-6)
    node.tick()
    app = create_control_room(node, [], tmp_path / "state")
    with serving(app) as address:
        found = httpx.get(f"{address}/api/city", headers={"Host": "evil.example"})
        assert found.status_code == 400
        body = b'{"text": "from a form"}'
        form = {"Content-Type": "text/plain"}
        found = httpx.post(f"{address}/api/handover/notes", content=body, headers=form)
        assert found.status_code == 422
        assert httpx.get(f"{address}/api/handover?since=0").json()["notes"] == []


def test_the_key_of_sessions_is_its_owners_alone(app, tmp_path):
    assert (tmp_path / "state" / "session.key").stat().st_mode & 0o077 == 0
