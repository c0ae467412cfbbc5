"""Plans that somebody asks a real node for, over HTTP."""

import threading

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from live_city import HOUR, START, node_in
from live_server import serving
from planning_city import CELLS, LAT, LON, PARK, trained

from deepcity.live.node.plans import plan_basis
from deepcity.web.api.questions import plan_requests
from deepcity.web.api.refusals import Refusal
from deepcity.web.control.app import create_control_room


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("planning"))


@pytest.fixture(scope="module")
def node(town, tmp_path_factory):
    with node_in(town, tmp_path_factory.mktemp("node")) as found:
        found.tick()
        yield found


@pytest.fixture(scope="module")
def client(node, tmp_path_factory):
    app = create_control_room(node, [], tmp_path_factory.mktemp("state"))
    with serving(app) as address, httpx.Client(base_url=address, timeout=60) as found:
        yield found


def ask(client, key, **asked):
    return client.get("/api/plan", params={"service": key[0], "party": key[1], **asked})


def test_drivers_get_the_nearest_car_park_that_is_sure(client, node):
    newest = client.get("/api/decisions", params={"service": PARK[0]}).json()[0]
    assert newest["actions"] == []  # a node plans for nobody by itself
    found = ask(client, PARK, request=[f"{LAT},{LON},1,3", f"{LAT},{LON + 0.01},0"]).json()
    sent = {one["place"]: one["numbers"]["count"] for one in found["actions"]}
    assert sent == {"p0": 3.0, "p1": 1.0}
    assert (found["id"], found["status"], found["steps"]) == (None, "advice", 2)
    assert set(found) == {*newest, "steps"}
    for name in ("service", "party", "task", "confirm", "valid_until_s", "band"):
        assert found[name] == newest[name], name
    assert [one["agency"] for one in found["evidence"]] == ["x"]
    assert all(one["text"]["en"] and one["text"]["ko"] for one in found["reasons"][:2])
    assert max(one["at_s"] for one in found["actions"]) == found["valid_until_s"]


def test_so_many_patrols_as_there_are(client):
    assert len(ask(client, CELLS).json()["actions"]) == 1  # the application's own number
    found = ask(client, CELLS, units=2).json()
    assert {one["place"] for one in found["actions"]} == {"p0", "p1"}
    assert ask(client, CELLS, units=0).json()["actions"] == []


def test_a_plan_is_kept_nowhere(client, node):
    before = node.events.last(), client.get("/api/decisions").json()
    for count in (1, 2):
        assert ask(client, PARK, request=f"{LAT},{LON},0,{count}").status_code == 200
    assert (node.events.last(), client.get("/api/decisions").json()) == before


@pytest.mark.parametrize(
    ("key", "asked", "status", "reason"),
    [
        (("parking", "a/z"), {}, 404, "no party of this node"),
        (("water", "a/x"), {}, 404, "no party of this node"),
        (PARK, {"request": [f"{LAT},{LON},2", "x", f"{LAT},{LON},0"]}, 422, "a step of 0 to 1"),
        (PARK, {"request": "nan,13,0"}, 422, "a step of 0 to 1"),
        (PARK, {"request": "51,13,0,1001"}, 422, "at most 1000 cars"),
        (PARK, {"request": ["51,13,0"] * 101}, 422, "at most 100 at once"),
        (CELLS, {"units": -1}, 422, "greater than or equal to 0"),
        (CELLS, {"units": 100_001}, 422, "less than or equal to 100000"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_next_step(client, key, asked, status, reason):
    found = ask(client, key, **asked)
    assert found.status_code == status
    (error,) = found.json()["errors"]
    assert reason in error["reason"]
    assert error["next"]
    if "x" in asked.get("request", ()):
        assert error["value"] == f"{LAT},{LON},2; x"  # both


def test_a_service_that_plans_nothing_says_so(open_node, tmp_path):
    node = open_node()
    node.tick()
    app = create_control_room(node, [], tmp_path / "state")
    with serving(app) as address, httpx.Client(base_url=address) as client:
        found = ask(client, ("water", "a/x"))
    assert found.status_code == 404
    assert "makes no plans" in found.json()["errors"][0]["reason"]


def test_after_a_start_a_plan_follows_the_first_step_and_nothing_happens_twice(town, tmp_path):
    def state(node, tmp):
        app = create_control_room(node, [], tmp)
        with serving(app) as address, httpx.Client(base_url=address, timeout=60) as client:
            return ask(client, PARK, request=f"{LAT},{LON},0")

    with node_in(town, tmp_path) as node:
        assert "not forecast since" in state(node, tmp_path / "s").json()["errors"][0]["reason"]
        node.tick()
        first, events = state(node, tmp_path / "s").json(), node.events.last()
    with node_in(town, tmp_path) as node:
        assert state(node, tmp_path / "s").status_code == 404
        node.tick()
        again = state(node, tmp_path / "s").json()
        assert (again["actions"], again["certainty"]) == (first["actions"], first["certainty"])
        assert node.events.last() == events


def test_plans_and_steps_do_not_wait_for_each_other(town, tmp_path):
    """Every plan is of one whole state, whatever step it falls into; steps are as without them."""
    with node_in(town, tmp_path) as node:
        node.tick()
        found, over = [], threading.Event()

        def asking():
            while not over.is_set():
                basis = plan_basis(node, PARK)
                made = basis.plan(node, plan_requests([f"{LAT},{LON},1,2"], basis.steps), None)
                found.append((made.decision.valid_until_s, made.decision.actions[0].at_s))

        threads = [threading.Thread(target=asking) for _ in range(2)]
        for one in threads:
            one.start()
        while node.clock.now() < START + 3 * HOUR:
            node.tick()
        over.set()
        for one in threads:
            one.join()
        kept = [one.origin_s for one in node.decisions.decisions.values() if one.service == PARK[0]]
    assert found
    assert all(at == until for until, at in found)
    assert kept == sorted(set(kept))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.text(max_size=30) | st.from_regex(r"-?\d{1,3}(\.\d)?,\d{1,3},\d,\d{1,4}"), max_size=8
    )
)
def test_requests_are_read_or_refused(texts):
    try:
        found = plan_requests(texts, 2)
    except Refusal:
        return
    assert len({one.id for one in found}) == len(texts)
    for one in found:
        assert abs(one.lat) <= 90
        assert abs(one.lon) <= 180
        assert 0 <= one.step < 2
        assert 1 <= one.count <= 1000
