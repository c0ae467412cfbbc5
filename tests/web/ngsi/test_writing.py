"""What places measure is written as entities, and kept as rows of a source."""

import time
from contextlib import contextmanager

import httpx
import pytest
import towns
from live_server import serving

from deepcity.data.city_file import check_city
from deepcity.live.feeds.feeds import open_feeds
from deepcity.live.feeds.row_door import RowDoor
from deepcity.live.node.clock import LiveClock
from deepcity.live.node.node import Node
from deepcity.live.node.open_node import sources_of
from deepcity.store.open_store import open_events
from deepcity.web.control.accounts.account_file import account_entry
from deepcity.web.control.accounts.accounts import load_accounts
from deepcity.web.control.app import create_control_room
from deepcity.web.control.roles import Role
from deepcity.web.ngsi.writing import write_routes

UPSERT = "/ngsi-ld/v1/entityOperations/upsert"
PASSWORD = "correct horse battery"
PUSH = 'format = "push"\nplace = "station"'
FIELDS = """[
  { name = "speed", kind = "speed", unit = "mph", source = "records", column = "v", scale = 0.1 },
  { name = "cars", kind = "count", unit = "vehicles", source = "records", WHERE },
]""".replace("WHERE", 'where = { lane = ["all", "both"] }')
FAR = "9999-12-31T23:59:59-23:59"  # the year 10000 in UTC
NONE = "urn:ngsi-ld:null"
KIND = "TrafficFlowObserved"
PLACES = '[{ id = "a", column = "A-1" }, { id = "b:c" }]'
A, B = f"urn:ngsi-ld:{KIND}:town:office:a", f"urn:ngsi-ld:{KIND}:town:office:b%3Ac"


def hour(back):
    return time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(time.time() - back * 3600))


def entity(name=A, back=2, **values):
    given = {"averageVehicleSpeed": 16.09344, "intensity": NONE, **values}
    attributes = {
        key: {"type": "Property", "value": value, "observedAt": hour(back)}
        for key, value in given.items()
    }
    return {"id": name, "type": KIND, **attributes}


@contextmanager
def node_of(folder, source=PUSH):
    path = folder / "town.toml"
    text = towns.toml(source=source, fields=FIELDS, places=PLACES)
    path.write_text(text.replace('"resources"', '"transport"'), encoding="utf-8")
    (folder / "rows.csv").write_text("time,station,v,cars,lane\n" + "".join(
        f"{hour(back)},{place},1,2,all\n" for back in (9, 8) for place in ("A-1", "b:c")
    ))  # fmt: skip
    city_file, problems = check_city(path, later=True)
    assert not problems
    feeds = open_feeds(city_file)
    sources = sources_of((), city_file, folder / "spool", replay=False, coming=feeds.trouble)
    with open_events(f"duckdb:///{folder / 'city.duckdb'}") as events:
        node = Node(city_file, sources, (), events, LiveClock(), refused=feeds.refused)
        node.tick()
        yield node, feeds
        feeds.close()
        node.close()


@pytest.fixture
def node(tmp_path):
    with node_of(tmp_path) as found:
        yield found


@pytest.fixture
def client(node, tmp_path):
    app = create_control_room(node[0], [], tmp_path / "state", None, node[1])
    with serving(app) as address, httpx.Client(base_url=address, timeout=60) as found:
        yield found


def values(node):
    node.tick()
    return node.panel("office").values_TNF


def test_an_entity_becomes_a_row_in_the_unit_of_its_source(client, node):
    """16.09344 km/h are 10 mph, which the records write as 100."""
    assert client.post(UPSERT, json=[entity()]).status_code == 204
    assert (node[1].doors["records"].spool.path.read_text().splitlines()[1]).startswith(
        f"{hour(2).removesuffix('Z')}+00:00,A-1,"
    )
    assert values(node[0])[-1, :, 0].tolist()[0] == pytest.approx(10, rel=1e-5)
    both = [
        entity(B, averageVehicleSpeed=32.18688, intensity=7),
        {
            "id": A,
            "type": KIND,
            "intensity": 5,
            "averageVehicleSpeed": 16.09344,
            "dateObserved": hour(2),
        },  # simplified
        entity(A, back=1, intensity=6) | {"name": {"type": "Property", "value": "a"}},
    ]
    assert client.post(UPSERT, json=both, params={"options": "update"}).status_code == 204
    found = values(node[0])
    assert found[-2, :, 0].tolist() == pytest.approx([10, 20], rel=1e-5)
    assert found[-2:, 0, 1].tolist() == [5, 6]
    assert found[-2, 1, 1] == 7
    shown = client.get(f"/ngsi-ld/v1/entities/{B}").json()
    assert shown["averageVehicleSpeed"]["value"] == pytest.approx(32.1869, rel=1e-5)
    assert shown["averageVehicleSpeed"]["observedAt"] == hour(2)


def test_what_is_read_can_be_written_back(client, node):
    client.post(
        UPSERT, json=[entity(A, intensity=4), entity(B, averageVehicleSpeed=50.0, intensity=3)]
    )
    before = values(node[0]).copy()
    read = client.get("/ngsi-ld/v1/entities", params={"type": KIND}).json()
    assert client.post(UPSERT, json=read).status_code == 204
    assert values(node[0])[:, :, 0] == pytest.approx(before[:, :, 0], rel=1e-5, nan_ok=True)


def wrong_ones():
    """By the hour of now: of the test, not of the import."""
    return [
        ({"id": "urn:ngsi-ld:Thing:x"}, "not that of a place of this city"),
        ({"id": A.replace("office", "nobody")}, "not that of a place of this city"),
        ({"id": A.replace(":a", ":z")}, "no place of office"),
        ({"id": A.replace(KIND, "Alert"), "type": "Alert"}, "has no Alert"),
        ({"type": "Road"}, "'Road'"),
        ({"colour": {"value": "red"}}, "'colour'"),
        ({"intensity": {"value": 3, "observedAt": hour(1)}}, "cars of office of the same place"),
        ({"averageVehicleSpeed": {"value": 3}}, "observed"),
        ({"averageVehicleSpeed": {"value": "fast", "observedAt": hour(1)}}, "no number"),
        ({"averageVehicleSpeed": {"value": True, "observedAt": hour(1)}}, "no number"),
        ({"averageVehicleSpeed": {"value": 3, "observedAt": hour(1), "unitCode": "CEL"}}, "CEL"),
        ({"averageVehicleSpeed": {"value": 10**400, "observedAt": hour(1)}}, "no number"),
        ({"averageVehicleSpeed": {"value": 1e308, "observedAt": hour(1)}}, "1e+308 is too large"),
        ({"averageVehicleSpeed": {"value": 3, "observedAt": "noon"}}, "noon"),
        ({"averageVehicleSpeed": {"value": 3, "observedAt": FAR}}, "after the year 2199"),
        ({"averageVehicleSpeed": {"value": -3, "observedAt": hour(2)}}, "negative"),
        (entity(back=-99), "ahead of now"),
    ]


def test_one_that_cannot_be_is_named_and_the_others_are_kept(client, node):
    for number, (change, named) in enumerate(wrong_ones()):
        wrong, speed = {**entity(), **change}, 16.09344 * (number + 1)
        found = client.post(UPSERT, json=[wrong, entity(B, averageVehicleSpeed=speed)])
        assert found.status_code == 207, found.text
        assert found.json()["success"] == [B]
        (error,) = found.json()["errors"]
        assert error["entityId"] == wrong["id"]
        assert named in error["error"]["title"]
        assert error["error"]["detail"]
    kept = values(node[0])[-1, :, 0]
    assert kept[1] == pytest.approx(10 * len(wrong_ones()), rel=1e-5)
    assert not kept[0] > 0


def test_a_body_that_is_no_list_of_entities(client):
    for body, status in (({}, 400), ([], 400), ("x", 400), ([1], 207), ([entity()] * 1001, 403)):
        assert client.post(UPSERT, json=body).status_code == status
    other = {"options": "noOverwrite"}
    assert client.post(UPSERT, json=[entity()], params=other).status_code == 400


@pytest.mark.parametrize(
    ("method", "end"), [("PATCH", "/attrs"), ("POST", "/attrs"), ("PATCH", "")]
)
def test_attributes_of_one_entity(client, node, method, end):
    path = f"/ngsi-ld/v1/entities/{B}{end}"
    attributes = {key: one for key, one in entity(B).items() if key not in ("id", "type")}
    assert client.request(method, path, json=attributes).status_code == 204
    assert client.request(method, path, json=entity(B)).status_code == 204
    assert values(node[0])[-1, 1, 0] == pytest.approx(10, rel=1e-5)
    for body, status, named in (
        ({"averageVehicleSpeed": attributes["averageVehicleSpeed"]}, 400, "cars of office"),
        ({**attributes, "id": A}, 400, A),
        ({**attributes, "type": "Road"}, 400, "Road"),
        ({}, 400, "no measured attribute"),
        ([attributes], 400, "no object"),
    ):
        found = client.request(method, path, json=body)
        assert (found.status_code, named in found.json()["title"]) == (status, True), found.text
    nobody = client.request(method, path.replace(B, f"{B}c"), json=attributes)
    assert nobody.status_code == 404


def test_many_wrong_ones_cost_a_bounded_number_of_tries(client, monkeypatch):
    put, tried = RowDoor.put, []
    monkeypatch.setattr(write_routes, "_MOST_TRIES", 10)
    monkeypatch.setattr(RowDoor, "put", lambda *a, **b: tried.append(1) or put(*a, **b))
    ahead = [entity(A, back=-99 - number) for number in range(60)]
    found = client.post(UPSERT, json=[entity(), *ahead])
    assert found.json()["success"] == [A]
    errors = [one["error"] for one in found.json()["errors"]]
    assert len(errors) == 60
    assert all("ahead of now" in one["title"] for one in errors)
    assert "it was not tried alone" in errors[-1]["title"]
    assert len(tried) <= 40  # alone each would take two


def test_a_refused_value_is_named(client):
    (error,) = client.post(UPSERT, json=[entity(back=-99)]).json()["errors"]
    assert hour(-99).removesuffix("Z") in error["error"]["title"]


def test_records_that_are_read_from_a_file_are_not_written(tmp_path):
    source = (
        'format = "csv"\npath = "rows.csv"\nlayout = "long"\nplace = "station"\n'
        'time = { column = "time" }'
    )
    with node_of(tmp_path, source) as (node, feeds):
        app = create_control_room(node, [], tmp_path / "state", None, feeds)
        with serving(app) as address:
            found = httpx.post(address + UPSERT, json=[entity()], timeout=60).json()
    (error,) = found["errors"]
    assert error["error"]["type"].endswith("OperationNotSupported")
    assert "no rows come to office/records" in error["error"]["title"]


def test_who_may_send_rows_may_write(node, tmp_path):
    path = tmp_path / "accounts.toml"
    entries = [account_entry(one.value, one, PASSWORD) for one in (Role.SOURCE, Role.ANALYST)]
    path.write_text("\n".join(entries))
    app = create_control_room(node[0], [], tmp_path / "state", load_accounts(path), node[1])
    with serving(app) as address:
        answers = [
            httpx.post(
                address + UPSERT, json=[entity()], auth=(name, PASSWORD), timeout=60
            ).status_code
            for name in ("source", "analyst")
        ]
        assert httpx.post(address + UPSERT, json=[entity()], timeout=60).status_code == 401
    assert answers == [204, 403]


def test_a_wrong_part_of_a_query_is_named_with_its_value(client):
    asked = {"type": "query", "entities": [{"type": KIND}], "colour": "red"}
    title = client.post("/ngsi-ld/v1/entityOperations/query", json=asked).json()["title"]
    assert "type 'query'" in title
    assert "colour 'red'" in title
