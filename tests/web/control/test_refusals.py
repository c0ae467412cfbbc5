"""Refusals: one form of errors at every door, and nothing in them that the role may not see."""

import json

import httpx
import numpy as np
import polars as pl
import pytest
from live_city import node_in
from live_server import serving

from deepcity.city.field import Field, Kind
from deepcity.city.place import Place
from deepcity.live.node.incidents import incident
from deepcity.web.control.accounts.account_file import account_entry
from deepcity.web.control.accounts.accounts import load_accounts
from deepcity.web.control.app import MOST_BODY, create_control_room
from deepcity.web.control.export import ExportFormat, ExportKind, ExportValues, export_parts
from deepcity.web.control.roles import Role

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def people(trained, tmp_path_factory):
    """Clients of a node, each logged in with a role."""
    folder = tmp_path_factory.mktemp("node")
    path = folder / "accounts.toml"
    roles = (Role.OPERATOR, Role.ADMIN)
    path.write_text("\n".join(account_entry(f"a-{one.value}", one, PASSWORD) for one in roles))
    with node_in(trained, folder) as node:
        node.tick()
        app = create_control_room(node, [], folder / "state", load_accounts(path))
        with serving(app) as address:
            clients = [httpx.Client(base_url=address, timeout=60) for _ in roles]
            for role, client in zip(roles, clients, strict=True):
                asked = {"name": f"a-{role.value}", "password": PASSWORD}
                assert client.post("/api/session", json=asked).status_code == 200
            yield (*clients, node)
            for client in clients:
                client.close()


def errors(found):
    """The problems of an answer in the house's form."""
    errors = found.json()["errors"]
    assert all(set(one) == {"value", "reason", "next"} and one["next"] for one in errors), errors
    return errors


def test_what_the_framework_refuses_has_the_form_of_the_house(people):
    operator, _, _ = people
    large = {"text": "x" * MOST_BODY}
    found = operator.post("/api/handover/notes", json=large)
    assert (found.status_code, errors(found)[0]["reason"]) == (413, "a body over 1,000,000 bytes")
    for method, path, status in (
        ("GET", "/api/nothing", 404),
        ("PUT", "/api/city", 405),
        ("POST", "/api/session/x", 405),
        ("GET", "/../../etc/passwd", 404),
    ):
        found = operator.request(method, path)
        assert (found.status_code, bool(errors(found))) == (status, True), path


@pytest.mark.parametrize(
    ("size", "status", "title"),
    [(MOST_BODY // 2, 400, "too large"), (MOST_BODY, 413, "a body over 1,000,000 bytes")],
)
def test_of_ngsi_ld_the_form_is_its_own(people, size, status, title):
    """Its own bound is lower than the room's, which is looked at before a body comes."""
    operator, _, _ = people
    for path in ("subscriptions", "entityOperations/query"):
        found = operator.post(f"/ngsi-ld/v1/{path}", json={"type": "x" * size})
        assert found.status_code == status
        assert set(found.json()) == {"type", "title", "detail", "status"}
        assert title in found.json()["title"]


def test_a_hidden_task_is_as_if_there_were_none(people):
    operator, admin, node = people
    number = admin.post("/api/incidents", json={"title": "burst main"}).json()["id"]
    path = f"/api/incidents/{number}/entries"
    hidden = {"kind": "task", "text": "tell the mayor", "roles": ["admin"]}
    secret = admin.post(path, json=hidden).json()["entries"][-1]["seq"]
    open_to_all = admin.post(path, json={"kind": "task", "text": "close it"}).json()["entries"][-1]
    done = {"kind": "done", "text": "done"}
    refused = [operator.post(path, json={**done, "task": task}) for task in (secret, 10**9, None)]
    assert [one.status_code for one in refused] == [404, 404, 404]
    for one in refused:
        assert one.json()["errors"][0]["next"] == f"name one of {open_to_all['seq']}"
    assert operator.post(path, json={**done, "task": open_to_all["seq"]}).status_code == 201
    last = operator.post(path, json={**done, "task": secret})
    assert last.json()["errors"][0]["next"] == "add a task first"
    assert len(incident(node, number).entries) == 4
    assert admin.post(path, json={**done, "task": secret}).status_code == 201


def exported(form, *ids):
    """A file of one step of places with these ids; every value is -5."""
    places = tuple(Place(one, 37.5, 127.0) for one in ids)
    values = {"value": np.full((1, len(ids)), -5.0, np.float32)}
    key, field = ("=service", "@party"), Field("level", Kind("level"), "m")
    found = ExportValues(
        key, ExportKind.MEASURED, places, field, "Asia/Seoul", np.array([0]), values
    )
    return b"".join(export_parts(found, form, 8))


FORMULAS = ("=cmd|' /C calc'!A0", "+1", "-2", "@x", "\tx", "\rx", "＝1", "－1")


def test_no_text_of_an_exported_csv_is_a_formula_and_numbers_stay(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(exported(ExportFormat.CSV, *FORMULAS, "plain", "a=b"))
    table = pl.read_csv(path)
    assert table["place"].to_list() == [*(f"'{one}" for one in FORMULAS), "plain", "a=b"]
    assert set(table["service"]) == {"'=service"}
    assert set(table["party"]) == {"'@party"}
    assert table["value"].to_list() == [-5.0] * len(table)
    features = json.loads(exported(ExportFormat.GEOJSON, "=1"))["features"]
    assert features[0]["properties"]["place"] == "=1"
    path.write_bytes(exported(ExportFormat.PARQUET, "=1"))
    assert pl.read_parquet(path)["place"].to_list() == ["=1"]
