"""Whoever loses an account, a role or a password loses what it opened, at once."""

import json
import threading
import time
from contextlib import contextmanager

import httpx
import pytest
from live_server import serving, wait_for

from deepcity.web.control.accounts import accounts as accounts_module
from deepcity.web.control.accounts.account_file import account_entry
from deepcity.web.control.accounts.accounts import LOCAL, User, load_accounts
from deepcity.web.control.app import create_control_room
from deepcity.web.control.roles import Role
from deepcity.web.control.sessions.ended_sessions import EndedSessions
from deepcity.web.control.sessions.session import Sessions

PASSWORD, OTHER = "correct horse battery", "another horse battery"


@pytest.fixture(scope="module")
def entries():
    """Entries of a file, by what they are of; hashing is slow by design."""
    return {
        "kim": account_entry("kim", Role.OPERATOR, PASSWORD),
        "kim-again": account_entry("kim", Role.OPERATOR, PASSWORD),
        "admin": account_entry("admin", Role.ADMIN, PASSWORD),
        "feed": account_entry("feed", Role.SOURCE, PASSWORD),
    }


@pytest.fixture
def room(open_node, entries, tmp_path):
    """The address of a control room, and a function that writes its file of accounts."""
    path = tmp_path / "accounts.toml"

    def write(*parts):
        path.with_suffix(".new").write_text("\n".join(parts))
        path.with_suffix(".new").replace(path)

    write(entries["kim"], entries["admin"], entries["feed"])
    node = open_node(speed=1e-6)
    node.tick()
    app = create_control_room(node, [], tmp_path / "state", load_accounts(path))
    with serving(app) as address:
        yield address, write


@contextmanager
def logged_in(address, name):
    with httpx.Client(base_url=address, timeout=30) as client:
        found = client.post("/api/session", json={"name": name, "password": PASSWORD})
        assert found.status_code == 200, found.text
        yield client


def test_a_changed_disabled_or_deleted_account_ends_its_sessions(room, entries):
    address, write = room
    rest = entries["admin"], entries["feed"]
    for change in (
        (entries["kim-again"],),  # the same password, given anew
        (entries["kim"] + "disabled = true\n",),
        (),
    ):
        write(entries["kim"], *rest)
        with logged_in(address, "kim") as kim, logged_in(address, "admin") as admin:
            assert kim.get("/api/city").status_code == 200
            write(*change, *rest)
            assert kim.get("/api/city").status_code == 401
            assert admin.get("/api/city").status_code == 200
            write(entries["kim"], *rest)
            assert kim.get("/api/city").status_code == 200  # it is the same account again


def test_a_changed_role_counts_from_the_next_request_on(room, entries):
    address, write = room
    with logged_in(address, "kim") as kim:
        note = {"text": "before"}
        assert kim.post("/api/handover/notes", json=note).status_code == 201
        demoted = entries["kim"].replace('"operator"', '"auditor"')
        write(demoted, entries["admin"])
        assert kim.post("/api/handover/notes", json={"text": "after"}).status_code == 403
        assert kim.get("/api/city").json()["user"] == {"name": "kim", "role": "auditor"}


def test_a_disabled_account_is_refused_by_name_only_to_whoever_has_its_password(room, entries):
    address, write = room
    write(entries["kim"] + "disabled = true\n", entries["admin"])
    right = httpx.post(f"{address}/api/session", json={"name": "kim", "password": PASSWORD})
    wrong = httpx.post(f"{address}/api/session", json={"name": "kim", "password": OTHER})
    assert (right.status_code, wrong.status_code) == (403, 401)
    assert right.json()["errors"][0]["reason"] == "this account is disabled"


def test_a_stream_ends_with_its_session(room, entries):
    address, write = room
    with logged_in(address, "kim") as kim, kim.stream("GET", "/api/stream") as stream:
        lines, ended = [], threading.Event()

        def read():
            for line in stream.iter_lines():
                lines.append(line)
            ended.set()

        reading = threading.Thread(target=read, daemon=True)
        reading.start()
        wait_for(lambda: lines)
        write(entries["admin"])
        wait_for(ended.is_set)
        reading.join()


def test_a_program_too(room, entries, monkeypatch):
    """What was verified is known for a minute, but not of an account that changed since."""
    address, write = room
    asked = {"auth": ("kim", PASSWORD), "timeout": 30}
    url = f"{address}/ngsi-ld/v1/types"
    assert httpx.get(url, **asked).status_code == 200
    verified = []
    hasher = accounts_module.HASHER

    class Counted:
        def verify(self, *given):
            verified.append(given)
            return hasher.verify(*given)

    monkeypatch.setattr(accounts_module, "HASHER", Counted())
    assert httpx.get(url, **asked).status_code == 200
    assert not verified
    write(entries["kim"] + "disabled = true\n", entries["admin"])
    assert httpx.get(url, **asked).status_code == 401
    write(entries["admin"])
    assert httpx.get(url, **asked).status_code == 401


def test_a_file_with_faults_changes_nobody_and_is_logged_once(room, entries, caplog):
    address, write = room
    with logged_in(address, "kim") as kim:
        write(entries["kim"], '[[account]]\nname = "half')
        assert kim.get("/api/city").status_code == 200
        assert kim.get("/api/city").status_code == 200
        warned = [one for one in caplog.records if "accounts of before" in one.message]
        assert len(warned) == 1
        write(entries["admin"])
        assert kim.get("/api/city").status_code == 401


def test_a_file_that_is_gone_lets_nobody_in_until_it_is_back(entries, tmp_path):
    path = tmp_path / "accounts.toml"
    path.write_text(entries["kim"])
    accounts = load_accounts(path)
    assert accounts.stamp("kim")
    path.rename(tmp_path / "elsewhere")
    assert accounts.stamp("kim") == ""
    (tmp_path / "elsewhere").rename(path)
    assert accounts.stamp("kim")


def test_a_session_is_over_after_twelve_hours_however_often_it_is_used(entries, tmp_path):
    path = tmp_path / "accounts.toml"
    path.write_text(entries["kim"])
    accounts, now = load_accounts(path), [1e9]
    sessions, session = Sessions(accounts, None, wall=lambda: now[0]), {}
    sessions.begin(session, accounts.user("kim", accounts.stamp("kim")))
    for hour, there in ((11.9, True), (12.1, False), (-1, False)):
        now[0] = 1e9 + hour * 3600
        assert (sessions.user(session) is not None) is there, hour


def test_a_cookie_of_a_session_that_was_logged_out_opens_nothing(room):
    """Whoever kept it, as on a shared machine, has nothing of it; other sessions go on."""
    address, _ = room
    with logged_in(address, "kim") as kim, logged_in(address, "kim") as elsewhere:
        kept = {"Cookie": f"deepcity={kim.cookies['deepcity']}"}
        assert httpx.get(f"{address}/api/city", headers=kept).status_code == 200
        assert kim.delete("/api/session").status_code == 204
        assert kim.delete("/api/session").status_code == 204  # of nobody
        assert httpx.get(f"{address}/api/city", headers=kept).status_code == 401
        assert elsewhere.get("/api/city").status_code == 200


def test_what_was_logged_out_stays_so_after_a_restart_and_is_forgotten_when_it_is_old(
    entries, tmp_path, caplog
):
    path = tmp_path / "accounts.toml"
    path.write_text(entries["kim"])
    accounts, now = load_accounts(path), [1e9]

    def restarted():
        return Sessions(accounts, None, lambda: now[0], EndedSessions(tmp_path))

    sessions, kept, other = restarted(), {}, {}
    for session in (kept, other):
        sessions.begin(session, accounts.user("kim", accounts.stamp("kim")))
    sessions.end(dict(kept))
    assert restarted().user(kept) is None
    assert restarted().user(other) is not None
    file = tmp_path / "ended-sessions.json"
    assert file.stat().st_mode & 0o077 == 0
    now[0] += 11 * 3600
    restarted().end(dict(other))
    assert len(json.loads(file.read_text())) == 2
    now[0] += 2 * 3600
    later = {}
    sessions = restarted()
    sessions.begin(later, accounts.user("kim", accounts.stamp("kim")))
    sessions.end(dict(later))
    assert len(json.loads(file.read_text())) == 1
    file.write_text("[1")
    assert restarted().user(kept) is None  # it is too old by now
    assert "Remove session.key to end all sessions" in caplog.text


@pytest.mark.parametrize(
    "session",
    [
        {},
        {"name": "kim"},  # of a version before
        {"name": "kim", "stamp": "", "since": 1},
        {"name": "oidc:1", "stamp": "", "since": time.time(), "role": "admin"},
        {"name": "local", "stamp": "", "since": time.time()},
    ],
)
def test_a_session_that_is_none(entries, tmp_path, session):
    path = tmp_path / "accounts.toml"
    path.write_text(entries["kim"])
    assert Sessions(load_accounts(path), None).user(session) is None
    assert Sessions(None, None).user(session) is LOCAL


@pytest.mark.parametrize("left", [b"", bytes(range(128, 256))])
def test_a_key_whose_writer_was_killed_is_made_anew(open_node, tmp_path, left):
    """Else cookies would be signed with nothing, and everyone could sign them."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "session.key").write_bytes(left)
    node = open_node(speed=1e-6)
    create_control_room(node, [], tmp_path / "state")
    assert len((tmp_path / "state" / "session.key").read_text()) == 64


def test_a_local_name_cannot_pass_for_one_of_a_provider(tmp_path, entries):
    path = tmp_path / "accounts.toml"
    path.write_text(entries["kim"].replace('"kim"', '"oidc:1 Kim"'))
    with pytest.raises(Exception, match="people of an OIDC provider"):
        load_accounts(path)
    assert User("kim", Role.ADMIN, "a") == User("kim", Role.ADMIN, "b")
