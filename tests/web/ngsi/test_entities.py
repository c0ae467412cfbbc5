"""Entities over HTTP: as asked, paged, in every representation; faults are ProblemDetails."""

from dataclasses import replace

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from live_city import BEGIN, HOUR, START
from live_server import serving

from deepcity.city.field import Sensitivity
from deepcity.live.node.alarm_book import AlarmChange
from deepcity.store.events.event import EventDraft, EventKind
from deepcity.web.control.accounts.account_file import account_entry
from deepcity.web.control.accounts.accounts import load_accounts
from deepcity.web.control.app import create_control_room
from deepcity.web.control.roles import Role
from deepcity.web.ngsi.city_entities import CityEntities

WATER = "WaterConsumptionObserved"
P0 = f"urn:ngsi-ld:{WATER}:a:x:p0"
PASSWORD = "correct horse battery"


def get(client, path, status=200, **asked):
    found = client.get(path, params=asked)
    assert found.status_code == status, found.text
    return found.json()


def test_places_with_what_was_measured_and_is_forecast(client, node):
    found = get(client, f"/entities/{P0}")
    panel = node.panel("x")
    flow = found["waterFlow"]
    assert flow["value"] == pytest.approx(float(panel.values_TNF[-1, 0, 0]), rel=1e-5)
    assert (flow["unitCode"], flow["observedAt"]) == ("G51", "2021-03-08T23:00:00Z")
    assert "waterConsumption" not in found  # a meter's reading, which a flow is not
    week = panel.values_TNF[-7 * 24 :, 0, 0]
    assert found["maxFlow"]["value"] == round(3600 * float(week.max()))
    ahead = found["waterFlowForecast"]
    assert ahead["observedAt"] == "2021-03-09T00:00:00Z"
    assert ahead["low"]["value"] < ahead["value"] < ahead["high"]["value"]
    simple = get(client, f"/entities/{P0}", options="keyValues")
    assert simple["waterFlow"] == flow["value"]
    concise = get(client, f"/entities/{P0}", format="concise", attrs="name,waterFlow")
    assert set(concise) == {"id", "type", "name", "waterFlow"}
    assert concise["name"] == "p0"
    assert concise["waterFlow"]["value"] == flow["value"]


def test_pages_of_a_type_and_their_count(client):
    asked = {"type": WATER, "limit": 3, "count": "true"}
    found = client.get("/entities", params=asked)
    assert found.headers["NGSILD-Results-Count"] == "4"
    ids = [one["id"] for one in found.json()]
    follow = next(part for part in found.headers["Link"].split(",") if 'rel="next"' in part)
    address = follow.partition("<")[2].partition(">")[0]
    rest = client.get(client.base_url.copy_with(raw_path=address.encode())).json()
    assert len(rest) == 1
    assert len({*ids, *(one["id"] for one in rest)}) == 4
    nothing = client.get("/entities", params={"type": "Nothing", "limit": 0, "count": "true"})
    assert (nothing.json(), nothing.headers["NGSILD-Results-Count"]) == ([], "0")


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"q": "waterFlow>0"}, 4),
        ({"q": "waterFlow<0"}, 0),
        ({"q": 'name=="p0";waterFlowForecast.low>0'}, 2),
        ({"q": 'name=="p0"|name=="p1"'}, 4),
        ({"q": '(name=="p0"|name=="p7");dataProvider=="y"'}, 1),
        ({"q": 'name=="p5","p1"'}, 2),
        ({"q": "name~=^p[01]$"}, 4),
        ({"q": "name!~=0$;waterFlow"}, 2),
        ({"q": "waterFlow==0..1000"}, 4),
        ({"q": "waterFlow.observedAt>=2021-03-08T23:00:00Z"}, 4),
        ({"q": "waterFlow.observedAt>2021-03-09T08:00:00+09:00"}, 0),
        ({"q": "nothing"}, 0),
        ({"idPattern": "^urn:.*:x:p[0-9]$", "type": WATER}, 2),
        ({"id": f"{P0},urn:none"}, 1),
        ({"attrs": "waterFlow"}, 4),
        ({"type": f"https://smartdatamodels.org/dataModel.WaterConsumption/{WATER}"}, 4),
        ({"type": "MLModel|CityDecision"}, 4),
    ],
)
def test_what_fits_a_query(client, asked, count):
    found = get(client, "/entities", **asked)
    assert len(found) == count
    document = {"type": "Query", "entities": [{"type": asked.get("type", "*")}]}
    if "q" in asked:
        posted = client.post("/entityOperations/query", json={**document, "q": asked["q"]})
        assert len(posted.json()) == count


def test_json_ld_names_its_context_in_the_body(client):
    found = client.get(f"/entities/{P0}", headers={"Accept": "application/ld+json"})
    assert found.headers["content-type"] == "application/ld+json"
    document = client.get(found.json()["@context"]).json()["@context"]
    sdm = "https://smartdatamodels.org/dataModel.WaterConsumption"
    assert document[WATER] == f"{sdm}/{WATER}"
    assert document["maxFlow"] == f"{sdm}/maxFlow"
    assert document["waterFlow"].startswith("https://deepcity")
    plain = client.get(f"/entities/{P0}", headers={"Accept": "application/json"})
    assert "@context" not in plain.json()
    assert "json-ld#context" in plain.headers["Link"]
    map_ = client.get(f"/entities/{P0}", headers={"Accept": "application/geo+json"}).json()
    assert (map_["type"], map_["geometry"], map_["id"]) == ("Feature", None, P0)


def test_forecasters_decisions_and_alarms(client, node):
    model = get(client, "/entities/urn:ngsi-ld:MLModel:a:x:water")
    assert model["outputAttributes"]["value"] == ["waterFlowForecast"]
    decision = get(client, "/entities/urn:ngsi-ld:CityDecision:a:x:water")
    assert decision["refModel"] == {"type": "Relationship", "object": model["id"]}
    assert decision["reasons"]["value"]
    body = {
        "change": AlarmChange.RAISED.value, "place": "p1", "code": "warn", "decision": 0,
        "numbers": {"probability": 0.7}, "severity": "warning",
    }  # fmt: skip
    node.keep([EventDraft(EventKind.ALARM, "a", START, "water", "a/x", body=body)])
    alert = get(client, "/entities", type="Alert")[0]
    assert alert["severity"]["value"] == "medium"
    assert alert["alarmCode"]["value"] == "warn"
    assert alert["refAlertedPlace"]["object"] == f"urn:ngsi-ld:{WATER}:a:x:p1"
    assert alert["alertSource"]["object"] == model["id"]
    assert {"Alert", "MLModel", WATER} <= set(get(client, "/types")["typeList"])
    info = get(client, f"/types/{WATER}")
    assert info["entityCount"] == 4
    assert get(client, "/attributes/waterFlow")["typeNames"] == [WATER]


@pytest.mark.parametrize(
    ("path", "status", "named"),
    [
        ("/entities", 400, "all entities"),
        ("/entities?type=x&limit=0", 400, "limit"),
        ("/entities?type=x&limit=1001", 400, "limit"),
        ("/entities?type=x&limit=²", 400, "limit"),
        ("/entities?type=x&offset=-1", 400, "offset"),
        ("/entities?type=x&geoQ=y", 400, "geoQ"),
        ("/entities?type=x&type=y", 400, "type"),
        ("/entities?type=x,,y", 400, "type"),
        ("/entities?type=x&options=sysAttrs", 400, "sysAttrs"),
        ("/entities?type=x&format=xml", 400, "xml"),
        ("/entities?q=a>", 400, "value"),
        ("/entities?q=(a", 400, "missing"),
        ("/entities?q=" + "(" * 500, 400, "complex"),
        ("/entities?q=" + "a;" * 900 + "a", 400, "complex"),
        ("/entities?q=a~=(x%2B)%2B", 400, "a value was expected"),
        ("/entities?idPattern=" + "a" * 101, 400, "101"),
        ("/entities?idPattern=a%2Bb%2Bc%2B", 400, "quantifiers"),
        ("/entities?idPattern=[z-a]", 400, "bad character range"),
        ("/entities?type=x&georel=near;maxDistance==5", 400, "geometry"),
        ("/entities?type=x&georel=close&geometry=Point&coordinates=[1,2]", 400, "close"),
        ("/entities?type=x&georel=within&geometry=Polygon&coordinates=[1,2]", 400, "positions"),
        ("/entities?type=x&georel=within&geometry=Point&coordinates=[NaN,2]", 400, "positions"),
        ("/entities?type=x&georel=within&geometry=Point&coordinates=" + "[" * 9000, 400, "JSON"),
        ("/entities/urn:ngsi-ld:none", 404, "urn:ngsi-ld:none"),
        (f"/entities/{P0}?attrs=nothing", 404, "nothing"),
        ("/types/none", 404, "none"),
        ("/attributes/none", 404, "none"),
        ("/none", 404, "none"),
        ("/entities/", 404, "entities"),
        ("/jsonldContexts/none", 404, "none"),
    ],
)
def test_a_fault_is_a_problem_of_the_standard_and_names_the_value(client, path, status, named):
    found = client.get(path)
    body = found.json()
    assert found.status_code == status, found.text
    kind = "ResourceNotFound" if status == 404 else body["type"].rsplit("/")[-1]
    assert body["type"] == f"https://uri.etsi.org/ngsi-ld/errors/{kind}"
    assert named in body["title"]
    assert body["detail"]


def test_entities_are_not_written(client):
    for method, path in (
        ("POST", "/entities"), ("POST", "/entities/"), ("DELETE", f"/entities/{P0}/attrs/a"),
        ("DELETE", f"/entities/{P0}"), ("POST", "/entityOperations/create"), ("PUT", "/x"),
    ):  # fmt: skip
        found = client.request(method, path, json={"id": P0, "type": WATER})
        assert found.status_code == 422, (method, path)
        assert found.json()["type"].endswith("OperationNotSupported")
    nothing = client.get(f"/entities/{P0}", headers={"Accept": "text/html"})
    assert nothing.status_code == 400


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"type": "Query"}', b'{"a": NaN}', b'"\\ud800"']
)
def test_a_query_that_is_none(client, body):
    found = client.post(
        "/entityOperations/query", content=body, headers={"Content-Type": "application/json"}
    )
    assert found.status_code == 400


def test_a_field_that_is_personal_never_leaves(node, monkeypatch):
    panel = node.panel("x")
    field = replace(panel.fields[0], sensitivity=Sensitivity.PERSONAL)
    hidden = replace(node._agencies["x"], panel=replace(panel, fields=(field,)))
    monkeypatch.setitem(node._agencies._now, "x", hidden)
    ids = [one for group in CityEntities(node).groups() for one in group.ids]
    assert ids
    assert not [one for one in ids if ":x:" in one]


def test_a_program_logs_in_by_http_basic(node, tmp_path):
    path = tmp_path / "accounts.toml"
    path.write_text(account_entry("robot", Role.ANALYST, PASSWORD), encoding="utf-8")
    app = create_control_room(node, [], tmp_path / "state", load_accounts(path))
    with serving(app) as address:
        url = f"{address}/ngsi-ld/v1/types"
        refused = httpx.get(url)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"].startswith("Basic")
        assert refused.json()["title"]
        assert httpx.get(url, auth=("robot", PASSWORD)).status_code == 200
        assert httpx.get(url, auth=("robot", "wrong")).status_code == 401
        assert httpx.get(f"{address}/api/city", auth=("robot", PASSWORD)).status_code == 401
        assert httpx.get(f"{address}/ngsi-ld/v1/jsonldContexts/deepcity.jsonld").status_code == 200


def test_over_time(client, node):
    asked = {"timerel": "between", "attrs": "waterFlow", "timeAt": "2021-03-07T00:00:00Z"}
    asked |= {"endTimeAt": "2021-03-09T00:00:00Z"}
    flow = get(client, f"/temporal/entities/{P0}", **asked)["waterFlow"]
    assert len(flow) == 48
    panel = node.panel("x")
    at = (START - 48 * HOUR - BEGIN) // HOUR
    truth = panel.values_TNF[at : at + 48, 0, 0].astype(float)
    assert [one["value"] for one in flow] == pytest.approx(truth.tolist(), rel=1e-5)
    pairs = get(client, f"/temporal/entities/{P0}", **asked, options="temporalValues", lastN=2)
    assert pairs["waterFlow"]["values"][-1] == [flow[-1]["value"], flow[-1]["observedAt"]]
    days = get(
        client, f"/temporal/entities/{P0}", **asked,
        aggrMethods="avg,min,max,sum,totalCount", aggrPeriodDuration="P1D",
    )["waterFlow"]  # fmt: skip
    assert days["avg"][1][0] == pytest.approx(truth[24:].mean(), rel=1e-5)
    assert days["sum"][0][0] == pytest.approx(truth[:24].sum(), rel=1e-5)
    assert days["totalCount"] == [
        [24, "2021-03-07T00:00:00Z", "2021-03-08T00:00:00Z"],
        [24, "2021-03-08T00:00:00Z", "2021-03-09T00:00:00Z"],
    ]
    ahead = get(
        client, "/temporal/entities", type=WATER, timerel="after", timeAt="2021-03-08T23:00:00Z"
    )
    assert len(ahead) == 4
    assert ahead[0]["waterFlowForecast"][0]["observedAt"] == "2021-03-09T00:00:00Z"
    assert len(ahead[0]["waterFlowForecast"]) == 6


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"timerel": "during"}, "during"),
        ({"timerel": "after"}, "timeAt"),
        ({"timeAt": "2021-03-08T23:00:00Z"}, "timerel"),
        ({"timerel": "after", "timeAt": "yesterday"}, "yesterday"),
        ({"timerel": "after", "timeAt": "2021-03-08T23:00:00"}, "offset"),
        ({"timerel": "between", "timeAt": "2021-03-08T23:00:00Z"}, "endTimeAt"),
        (
            {"timerel": "between", "timeAt": "2021-03-08T23:00:00Z",
             "endTimeAt": "2021-03-08T22:00:00Z"},
            "not after",
        ),
        ({"aggrMethods": "median"}, "median"),
        ({"aggrMethods": "avg", "aggrPeriodDuration": "P1M"}, "P1M"),
        ({"options": "aggregatedValues"}, "aggrMethods"),
        ({"timeproperty": "modifiedAt"}, "modifiedAt"),
        ({"lastN": "0"}, "lastN"),
    ],
)  # fmt: skip
def test_a_time_that_cannot_be_read(client, asked, named):
    assert named in get(client, f"/temporal/entities/{P0}", 400, **asked)["title"]


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_the_ends_of_time_are_times(client, time):
    get(client, f"/temporal/entities/{P0}", timerel="before", timeAt=time, lastN=1)


def test_a_query_over_time_as_a_document(client):
    span = {"timerel": "between", "timeAt": "2021-03-07T00:00:00Z"}
    span |= {"endTimeAt": "2021-03-09T00:00:00Z"}
    asked = {
        "type": "Query", "entities": [{"type": WATER, "id": P0}], "attrs": ["waterFlow"],
        "temporalQ": {**span, "aggrMethods": ["avg", "max"], "aggrPeriodDuration": "P1D"},
        "pick": ["id", "waterFlow"],
    }  # fmt: skip
    path = "/temporal/entityOperations/query"
    found = client.post(path, json=asked, params={"count": "true"})
    assert found.headers["NGSILD-Results-Count"] == "1"
    by_get = get(
        client, "/temporal/entities", id=P0, attrs="waterFlow", **span, pick="id,waterFlow",
        aggrMethods="avg,max", aggrPeriodDuration="P1D",
    )  # fmt: skip
    assert found.json() == by_get
    assert set(by_get[0]) == {"id", "waterFlow"}
    assert len(by_get[0]["waterFlow"]["avg"]) == 2
    assert client.post(path, json={**asked, "temporalQ": None}).status_code == 400
    assert client.post("/entityOperations/query", json=asked).status_code == 400
    for wrong in ({"timerel": "after"}, {**span, "lastN": 0}, {**span, "at": 1}):
        refused = client.post(path, json={**asked, "temporalQ": wrong})
        assert refused.status_code == 400
        assert "temporalQ" in refused.json()["title"]


def test_members_that_are_picked_or_omitted(client):
    assert get(client, f"/entities/{P0}", pick="id") == {"id": P0}
    all_ = get(client, f"/entities/{P0}")
    assert get(client, f"/entities/{P0}", omit="type,waterFlow") == {
        name: value for name, value in all_.items() if name not in ("type", "waterFlow")
    }
    some = get(client, "/entities", type=WATER, pick="type,waterFlow", options="simplified")
    assert [set(one) for one in some] == [{"type", "waterFlow"}] * 4
    long = "https://smartdatamodels.org/dataModel.WaterConsumption/maxFlow"
    assert set(get(client, f"/entities/{P0}", pick=long)) == {"maxFlow"}
    assert get(client, f"/entities/{P0}", pick="nothing") == {}
    map_ = client.get(
        "/entities", params={"type": WATER, "pick": "id,name"},
        headers={"Accept": "application/geo+json"},
    ).json()["features"][0]  # fmt: skip
    assert (set(map_["properties"]), map_["type"]) == ({"name"}, "Feature")
    by_body = {"type": "Query", "entities": [{"type": WATER}], "omit": ["waterFlow"]}
    found = client.post("/entityOperations/query", json=by_body).json()
    assert len(found) == 4
    assert not [one for one in found if "waterFlow" in one]
    assert "waterFlow" in get(client, f"/entities/{P0}", 400, pick="waterFlow", omit="waterFlow")[
        "title"
    ]  # fmt: skip


PARAMETERS = (
    "type", "id", "idPattern", "attrs", "pick", "omit", "q", "georel", "geometry", "coordinates",
    "geoproperty", "limit", "offset", "count", "options", "format", "timerel", "timeAt",
    "endTimeAt", "lastN", "timeproperty", "aggrMethods", "aggrPeriodDuration", "details",
)  # fmt: skip
VALUES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.sampled_from([
        WATER, P0, "*", "waterFlow", "waterFlow>1", "1", "true", "between", "Point", "[1,2]",
        "near;maxDistance==1e9", "2021-03-08T00:00:00Z", "P1D", "avg,max", "concise",
        "aggregatedValues", "PT1S", "9" * 30, "-1", "0",
    ]),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["/entities", f"/entities/{P0}", "/temporal/entities", "/types",
                     f"/temporal/entities/{P0}", "/attributes", "/subscriptions"]),
    st.dictionaries(st.sampled_from(PARAMETERS), VALUES, max_size=6),
    st.text(st.characters(max_codepoint=126, min_codepoint=33), max_size=20),
)  # fmt: skip
def test_whatever_is_asked_is_answered_or_refused(client, path, asked, accept):
    found = client.get(path, params=asked, headers={"Accept": accept})
    assert found.status_code in (200, 400, 403, 404), found.text
    assert found.status_code == 200 or found.json()["title"]
