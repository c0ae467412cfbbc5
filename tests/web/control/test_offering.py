"""What other systems fetch: warnings as CAP, values as files."""

import csv
import io
import json
from dataclasses import replace

import httpx
import numpy as np
import polars as pl
import pytest
from application_contract import made_state
from cap_tools.models import Alert
from live_city import HOUR, START, node_in
from live_server import serving
from xsdata.formats.dataclass.parsers import XmlParser

from deepcity.applications.application import Task, applications
from deepcity.city.field import Sensitivity
from deepcity.city.place import Place
from deepcity.live.node.decision_book import AnswerKind, decision_event
from deepcity.store.events.event import EventDraft, EventKind
from deepcity.web.control.app import create_control_room

ASKED = {"service": "water", "party": "a/x"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("node")


@pytest.fixture(scope="module")
def node(trained, folder):
    with node_in(trained, folder) as found:
        found.tick()
        yield found


@pytest.fixture(scope="module")
def client(node, folder):
    app = create_control_room(node, [], folder / "state")
    with serving(app) as address, httpx.Client(base_url=address, timeout=60) as found:
        yield found


def warning(node):
    """An air warning kept as a decision of the little city; its number."""
    air = applications()["air-warning"]
    state = made_state(air)
    forecast_NH = np.full_like(state.forecast_NH, 3.0)
    forecast_NH[1, 5:] = 150.0
    at_s = node.clock.now()
    made = air.decide(replace(state, forecast_NH=forecast_NH))
    made = replace(made, valid_until_s=at_s + HOUR)
    forecast = EventDraft(EventKind.FORECAST, f"forecast/x/{at_s}/{len(made.actions)}", at_s)
    forecast = replace(forecast, body={"origin_s": at_s})
    evidence = node.source("x", at_s)
    draft = decision_event("water", "a/x", made, Task.ALERT, evidence, forecast)
    return node.keep([draft])[0].seq


def test_a_warning_is_a_cap_message_and_a_draft_until_confirmed(client, node):
    number = warning(node)
    found = client.get(f"/api/decisions/{number}/cap")
    assert found.status_code == 200, found.text
    assert found.headers["content-type"].startswith("application/cap+xml")
    message = XmlParser().from_bytes(found.content, Alert)
    assert (message.sender, message.status.value) == ("a/x", "Draft")
    assert [one.language for one in message.infos] == ["en-US", "ko-KR"]
    now_s, confirm = node.clock.now(), AnswerKind.CONFIRM
    node.change(lambda: node.decisions.answer(number, confirm, "kim", now_s))
    again = XmlParser().from_bytes(client.get(f"/api/decisions/{number}/cap").content, Alert)
    assert again.status.value == "Actual"
    node.change(lambda: node.decisions.answer(number, AnswerKind.UNDO, "kim", now_s))
    node.change(lambda: node.decisions.answer(number, AnswerKind.REJECT, "kim", now_s))
    rejected = client.get(f"/api/decisions/{number}/cap")
    assert (rejected.status_code, "rejected" in rejected.text) == (409, True)


def test_what_is_no_warning_says_why(client):
    first = client.get("/api/decisions").json()[-1]
    found = client.get(f"/api/decisions/{first['id']}/cap")
    assert found.status_code == 409
    assert found.json()["errors"][0]["reason"] == "its task is forecast, not alert"
    assert client.get("/api/decisions/999999/cap").status_code == 404


def test_measured_values_as_csv_and_parquet(client, node):
    asked = {**ASKED, "since": START - 3 * HOUR, "until": START}
    found = client.get("/api/export", params=asked)
    assert found.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(found.text)))
    assert len(rows) == 6
    assert rows[0]["time_utc"] == "2021-03-08T21:00:00Z"
    panel = node.panel("x")
    truth = panel.between(START - 3 * HOUR, START).values_TNF[:, :, 0].reshape(-1)
    assert [float(one["value"]) for one in rows] == pytest.approx(truth.tolist(), rel=1e-5)
    table = pl.read_parquet(
        client.get("/api/export", params={**asked, "format": "parquet"}).content
    )
    assert table["value"].to_list() == pytest.approx(truth.tolist(), rel=1e-5)


def test_a_long_file_comes_in_parts_with_one_header(client, node, monkeypatch):
    monkeypatch.setattr("deepcity.web.control.export._PART", 10)
    found = client.get("/api/export", params=ASKED).text.splitlines()
    assert len(found) == 1 + node.panel("x").values_TNF.size
    assert sum("service" in line for line in found) == 1


def test_a_forecast_as_geojson_and_by_cell(client, node, monkeypatch):
    asked = {**ASKED, "what": "forecast", "format": "geojson"}
    found = client.get("/api/export", params=asked).json()
    one = found["features"][0]["properties"]
    assert len(found["features"]) == 2
    assert len(one["times_s"]) == len(one["low"]) == 6
    refused = client.get("/api/export", params={**ASKED, "format": "h3"})
    assert (refused.status_code, refused.json()["errors"][0]["reason"]) == (
        409, "no place has a position",
    )  # fmt: skip
    panel = node.panel("x")
    places = (Place("p0", 37.5, 127.0), Place("p1", 37.5001, 127.0001))
    positioned = replace(node._agencies["x"], panel=replace(panel, places=places))
    monkeypatch.setitem(node._agencies._now, "x", positioned)
    asked = {**ASKED, "format": "h3", "since": START - HOUR, "until": START, "resolution": 5}
    rows = list(csv.DictReader(io.StringIO(client.get("/api/export", params=asked).text)))
    assert len(rows) == 1
    assert float(rows[0]["value"]) == pytest.approx(float(panel.values_TNF[-1].mean()), rel=1e-5)
    assert float(rows[0]["places"]) == 2
    assert json.loads(json.dumps(rows))[0]["cell"].startswith("85")


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"party": "a/z"}, 404),
        ({"what": "dreams"}, 422),
        ({"format": "xls"}, 422),
        ({"resolution": 16}, 422),
        ({"since": "²"}, 422),
        ({"since": START + HOUR, "until": START + 2 * HOUR}, 404),
    ],
)
def test_what_cannot_be_exported(client, more, status):
    found = client.get("/api/export", params={**ASKED, **more})
    assert found.status_code == status
    assert found.json()["errors"][0]["next"]


def test_personal_and_too_many_values_are_refused(client, node, monkeypatch):
    monkeypatch.setattr("deepcity.web.control.export.MOST_VALUES", 10)
    assert client.get("/api/export", params=ASKED).status_code == 413
    panel = node.panel("x")
    field = replace(panel.fields[0], sensitivity=Sensitivity.PERSONAL)
    hidden = replace(node._agencies["x"], panel=replace(panel, fields=(field,)))
    monkeypatch.setitem(node._agencies._now, "x", hidden)
    assert client.get("/api/export", params=ASKED).status_code == 403
