"""Who saw what, and to whom tasks go: every role, and messages that are forged or repeated."""

from itertools import count

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from live_city import node_in
from live_server import serving

from deepcity.live.node.incidents import EntryKind
from deepcity.store.events.event import EventKind, EventQuery
from deepcity.web.control.accounts.account_file import account_entry
from deepcity.web.control.accounts.accounts import load_accounts
from deepcity.web.control.app import MOST_BODY, create_control_room
from deepcity.web.control.incidents.routes import LookAsked
from deepcity.web.control.roles import ALL, Role

TITLES = count()
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def node(trained, tmp_path_factory):
    with node_in(trained, tmp_path_factory.mktemp("node")) as found:
        found.tick()
        yield found


@pytest.fixture(scope="module")
def accounts(tmp_path_factory):
    path = tmp_path_factory.mktemp("accounts") / "accounts.toml"
    path.write_text("\n".join(account_entry(f"a-{one.value}", one, PASSWORD) for one in Role))
    return load_accounts(path)


@pytest.fixture(scope="module")
def people(node, accounts, tmp_path_factory):
    """A logged-in client of each role."""
    app = create_control_room(node, [], tmp_path_factory.mktemp("state"), accounts)
    with serving(app) as address:
        clients = {one: httpx.Client(base_url=address, timeout=60) for one in Role}
        for role, client in clients.items():
            client.post("/api/session", json={"name": f"a-{role.value}", "password": PASSWORD})
        yield clients
        for client in clients.values():
            client.close()


@pytest.fixture
def incident(people):
    """An incident with a task for all and a note for operators alone; gives path and entries."""
    operator = people[Role.OPERATOR]
    asked = {"title": f"Burst {next(TITLES)}", "service": "water"}
    made = operator.post("/api/incidents", json=asked).json()
    path = f"/api/incidents/{made['id']}"
    task = {"kind": "task", "text": "Close it", "agency": "x"}
    note = {"kind": "note", "text": "Kim", "roles": ["operator"]}
    found = [operator.post(f"{path}/entries", json=one) for one in (task, note)]
    assert {one.status_code for one in found} == {201}
    _, task, note = found[-1].json()["entries"]
    return path, task, note


def looks(node, path):
    number = int(path.rpartition("/")[2])
    found = node.events.read(EventQuery((EventKind.INCIDENT,), data=False))
    own = [one for one in found if one.body["incident"] == number]
    return [one for one in own if one.body["entry"] == EntryKind.SEEN.value]


def test_every_role_that_may_look_is_noted_once_and_may_do_nothing_else(people, incident, node):
    path, task, _ = incident
    for role in ALL:
        for _ in range(3):  # a message that comes again changes nothing
            found = people[role].post(f"{path}/seen", json={"entry": task["seq"]})
            assert found.status_code == 200, role
        if role not in (Role.OPERATOR, Role.ADMIN):
            entry = {"kind": "note", "text": "I"}
            assert people[role].post(f"{path}/entries", json=entry).status_code == 403
    assert people[Role.SOURCE].post(f"{path}/seen", json={"entry": 1}).status_code == 403
    assert sorted(one.who for one in looks(node, path)) == sorted(f"a-{one.value}" for one in ALL)
    seen = people[Role.ADMIN].get(path).json()["entries"][1]["seen_by"]
    assert {one["who"] for one in seen} == {"a-analyst", "a-auditor", "a-admin"}  # not its writer


def test_nobody_is_a_reader_of_what_is_not_for_them(people, incident):
    path, task, note = incident
    operator, analyst = people[Role.OPERATOR], people[Role.ANALYST]
    hidden = analyst.post(f"{path}/seen", json={"entry": note["seq"]})
    unknown = analyst.post(f"{path}/seen", json={"entry": 10**6})
    texts = [one.text.replace(str(n), "N") for one, n in ((hidden, note["seq"]), (unknown, 10**6))]
    assert hidden.status_code == unknown.status_code == 404
    assert texts[0] == texts[1]  # as if there were none
    last = operator.post(f"{path}/entries", json={"kind": "note", "text": "later"}).json()
    newest = last["entries"][-1]["seq"]
    analyst.post(f"{path}/seen", json={"entry": newest})
    entries = {one["seq"]: one for one in operator.get(path).json()["entries"]}
    who = {seq: [look["who"] for look in one["seen_by"]] for seq, one in entries.items()}
    assert who[task["seq"]] == who[newest] == ["a-analyst"]
    assert who[note["seq"]] == []


def test_a_look_at_what_is_no_entry_and_forged_bodies(people, incident, node):
    path, task, _ = incident
    analyst = people[Role.ANALYST]
    analyst.post(f"{path}/seen", json={"entry": task["seq"]})
    (look,) = looks(node, path)
    for body, status in (
        ({"entry": look.seq}, 404),  # a look itself
        ({"entry": 0}, 404),
        ({"entry": -1}, 422),
        ({"entry": 1 << 61}, 422),
        ({"entry": True}, 422),
        ({"entry": 1.5}, 422),
        ({"entry": str(task["seq"])}, 422),
        ({}, 422),
        ({"entry": task["seq"], "who": "a-admin"}, 422),  # in another's name
        ({"entry": task["seq"], "roles": ["operator"]}, 422),
        ([1], 422),
    ):
        assert analyst.post(f"{path}/seen", json=body).status_code == status, body
    assert analyst.post("/api/incidents/999/seen", json={"entry": 1}).status_code == 404
    huge = analyst.post(f"{path}/seen", content=b'{"entry": ' + b"1" * MOST_BODY + b"}")
    assert huge.status_code == 413
    assert len(looks(node, path)) == 1
    as_entry = people[Role.OPERATOR].post(f"{path}/entries", json={"kind": "seen", "task": 1})
    assert as_entry.status_code == 404
    assert f"POST {path}/seen" in as_entry.text


@given(st.integers() | st.floats(allow_nan=False) | st.text(max_size=4) | st.none())
def test_only_whole_numbers_name_an_entry(value):
    try:
        found = LookAsked.model_validate({"entry": value})
    except ValueError:
        return
    assert type(value) is int
    assert 0 <= found.entry == value < 1 << 60


def test_a_task_goes_to_an_agency_that_the_city_knows_or_to_a_name(people, incident):
    path, task, _ = incident
    operator = people[Role.OPERATOR]
    assert task["agency"] == {"name": "x", "title": {"en": "x", "ko": "x"}}
    names = [one["name"] for one in operator.get("/api/city").json()["agencies"]]
    assert names == ["x", "y"]
    asked = {
        "kind": "task",
        "text": "Boats",
        "agency": " Harbour \t police ",
        "roles": ["operator"],
    }
    found = operator.post(f"{path}/entries", json=asked)
    assert found.json()["entries"][-1]["agency"]["name"] == "Harbour police"
    assert [one["name"] for one in found.json()["agencies"]] == ["x", "Harbour police"]
    seen = people[Role.ANALYST].get(path).json()  # that task is none of theirs, nor its agency
    assert [one["name"] for one in seen["agencies"]] == ["x"]
    for bad in ({"kind": "note", "text": "n", "agency": "x"}, {**asked, "agency": "a" * 201}):
        assert operator.post(f"{path}/entries", json=bad).status_code in (404, 422)
    assert operator.post(f"{path}/entries", json={**asked, "agency": "\x00"}).status_code == 422


def test_the_same_entry_twice_is_refused_and_done_needs_no_words(people, incident):
    path, task, _ = incident
    operator, admin = people[Role.OPERATOR], people[Role.ADMIN]
    note = {"kind": "note", "text": "at the valve"}
    assert operator.post(f"{path}/entries", json=note).status_code == 201
    again = operator.post(f"{path}/entries", json=note)
    assert (again.status_code, "a moment ago" in again.text) == (404, True)
    assert admin.post(f"{path}/entries", json=note).status_code == 201  # another's own words
    done = {"kind": "done", "task": task["seq"]}
    assert operator.post(f"{path}/entries", json=done).status_code == 201
    assert operator.post(f"{path}/entries", json=done).status_code == 404
    assert operator.post(f"{path}/entries", json={"kind": "close"}).status_code == 201
    look = people[Role.AUDITOR].post(f"{path}/seen", json={"entry": task["seq"]})
    assert look.status_code == 200  # reading goes on after the end
