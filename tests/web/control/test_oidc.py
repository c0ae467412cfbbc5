"""Logging in by OpenID Connect at a real provider, a process of its own."""

import json
import subprocess

import httpx
import pytest
from live_server import free_port, serving, wait_for
from oidc_room import asked_of, back, begun, reason, room, settings
from processes import command

from deepcity.city.errors import ConfigError
from deepcity.web.control.accounts.account_file import account_entry
from deepcity.web.control.accounts.accounts import Accounts, load_accounts
from deepcity.web.control.app import create_control_room
from deepcity.web.control.oidc.settings import load_oidc
from deepcity.web.control.roles import Role

PASSWORD = "correct horse battery"
PEOPLE = (
    {"sub": "7", "name": "Kim <b>\x07", "groups": ["staff", "desk"]},
    {"sub": "8", "name": "Lee", "groups": ["staff"]},
    {"sub": "9 admin", "groups": ["desk"]},
)


@pytest.fixture(autouse=True)
def secret(monkeypatch):
    monkeypatch.setenv("ROOM_SECRET", "s & c")


@pytest.fixture(scope="module")
def provider():
    """The address of a real provider; it knows three people."""
    port = free_port()
    given = [part for one in PEOPLE for part in ("--user-claims", json.dumps(one))]
    process = subprocess.Popen(
        command("--port", port, *given, program=("-W", "ignore", "-m", "oidc_provider_mock")),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"

    def answers():
        try:
            return httpx.get(address).status_code == 200
        except httpx.TransportError:
            return False

    wait_for(answers)
    yield address
    process.terminate()
    process.wait()


def through(browser, subject):
    """A log-in of a person at the real provider."""
    answer = httpx.post(begun(browser), data={"sub": subject})
    return back(browser, answer.headers["location"])


def test_a_person_of_the_provider_gets_the_role_of_a_group(tmp_path, provider):
    with room(tmp_path, settings(tmp_path, provider)) as browser:
        ways = browser.get("/api/session").json()
        assert (ways["password"], ways["oidc"]["href"]) == (False, "/api/oidc")
        assert browser.get("/api/city").status_code == 401
        found = through(browser, "7")
        assert (found.status_code, found.headers["location"]) == (303, "/")
        assert "samesite=strict" in found.headers["set-cookie"].lower()
        assert browser.get("/api/city").json() == {"name": "oidc:7 Kim <b>", "role": "operator"}
        browser.delete("/api/session")
        assert browser.get("/api/city").status_code == 401


def test_who_has_no_group_or_a_strange_subject_is_refused(tmp_path, provider):
    with room(tmp_path, settings(tmp_path, provider)) as browser:
        found = through(browser, "8")
        assert (found.status_code, reason(found)) == (
            403,
            "no role of this control room is for you",
        )
        assert through(browser, "stranger@city.example").status_code == 403
        assert through(browser, "9 admin").status_code == 401
        state = asked_of(begun(browser))["state"]  # this provider forgets it when it denies
        query = {"state": state, "error": "access_denied"}
        denied = browser.get("/api/oidc/callback", params=query)
        assert (denied.status_code, "access_denied" in reason(denied)) == (401, True)
        assert browser.get("/api/city").status_code == 401


def test_an_answer_counts_once_and_in_the_browser_that_began_alone(tmp_path, provider):
    with (
        room(tmp_path, settings(tmp_path, provider)) as browser,
        httpx.Client(base_url=browser.base_url) as other,
    ):
        answer = httpx.post(begun(browser), data={"sub": "7"}).headers["location"]
        assert "did not begin it" in reason(back(other, answer))
        begun(other)
        assert "another log-in" in reason(back(other, answer))
        cookies = dict(browser.cookies)
        assert back(browser, answer).status_code == 303
        browser.cookies.clear()
        assert "did not begin it" in reason(back(browser, answer))
        browser.cookies.update(cookies)
        assert "come back already" in reason(back(browser, answer))
        assert browser.get("/api/city").status_code == 401


def test_another_clients_code_is_refused(tmp_path, provider):
    with room(tmp_path, settings(tmp_path, provider)) as browser:
        foreign = begun(browser).replace("client_id=room", "client_id=other")
        answer = httpx.post(foreign, data={"sub": "7"}).headers["location"]
        found = back(browser, answer)
        assert (found.status_code, "does not take the code" in reason(found)) == (401, True)


def test_local_accounts_go_on_while_the_provider_is_down(tmp_path):
    path = tmp_path / "accounts.toml"
    path.write_text(account_entry("kim", Role.ADMIN, PASSWORD))
    down = settings(tmp_path, f"http://127.0.0.1:{free_port()}")
    with room(tmp_path, down, load_accounts(path)) as browser:
        for _ in range(2):
            found = browser.get("/api/oidc")
            assert (found.status_code, "answer" in reason(found)) == (502, True)
        page = browser.get("/api/oidc", headers={"Accept": "text/html"})
        assert (page.status_code, "로그인하지 못했습니다" in page.text) == (502, True)
        asked = {"name": "kim", "password": PASSWORD}
        assert browser.post("/api/session", json=asked).status_code == 200
        assert browser.get("/api/city").json() == {"name": "kim", "role": "admin"}


def test_without_local_accounts_no_password_opens_anything(tmp_path):
    down = settings(tmp_path, f"http://127.0.0.1:{free_port()}")
    with room(tmp_path, down) as browser:
        asked = {"name": "local", "password": ""}
        assert browser.post("/api/session", json=asked).status_code == 401
        assert browser.get("/api/city").status_code == 401


def test_events_name_the_person_and_other_roles_end_the_session(open_node, tmp_path, provider):
    node = open_node(speed=1e-6)
    node.tick()

    def at(oidc):
        return serving(create_control_room(node, [], tmp_path / "state", Accounts({}), None, oidc))

    with at(settings(tmp_path, provider)) as address, httpx.Client(base_url=address) as browser:
        assert through(browser, "7").status_code == 303
        made = browser.post("/api/handover/notes", json={"text": "for the night"})
        assert made.json()["who"] == "oidc:7 Kim <b>"
        cookie = browser.cookies["deepcity"]
    changed = settings(tmp_path, provider).model_copy(update={"roles": {"desk": Role.ANALYST}})
    for oidc, status in ((settings(tmp_path, provider), 200), (changed, 401), (None, 401)):
        with at(oidc) as address:
            found = httpx.get(f"{address}/api/city", cookies={"deepcity": cookie})
            assert found.status_code == status


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"issuer": "http://login.city.example"}, "not encrypted"),
        ({"issuer": "login.city.example"}, "no address"),
        ({"issuer": "https://a@b.example"}, "no address"),
        ({"issuer": "https://b.example/?x=1"}, "more than an address"),
        ({"client_secret": "plain words"}, "no variable"),
        ({"client_secret": "${NO_SUCH_VARIABLE_HERE}"}, "is not set"),
        ({"hours": 13}, "hours"),
        ({"scopes": ["profile"]}, "not scopes"),
        ({"secret": "plain words"}, "secret"),
    ],
)
def test_a_file_with_faults(tmp_path, change, named):
    with pytest.raises(ConfigError, match=named) as caught:
        settings(tmp_path, **{"issuer": "https://login.city.example", **change})
    assert "plain words" not in str(caught.value)


def test_programs_have_accounts_of_their_own(tmp_path):
    path = tmp_path / "oidc.toml"
    path.write_text(
        'issuer = "https://a.example"\nclient_id = "x"\naddress = "https://b.example"\n'
        '[roles]\nfeeds = "source"\n'
    )
    with pytest.raises(ConfigError, match="source is for programs"):
        load_oidc(path)
