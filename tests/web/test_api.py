"""The HTTP API over a real connection: what it takes, answers and refuses."""

import json

import httpx
import numpy as np
import polars as pl
import pytest
from live_server import TOKENS, access, application_of
from live_town import DAY, HOUR, NOW

from deepcity.live.access import ReaderEntry
from deepcity.live.agency import LiveAgency
from deepcity.live.arrow import ARROW
from deepcity.live.decisions import decide
from deepcity.live.delivery import Delivery, DeliveryOutcome
from deepcity.live.wire import BLOB, cell_names, pack_deep, to_rows
from deepcity.store.outbox import Draft, Outbox
from deepcity.web.api.limits import Limits

LIMITS = Limits(max_bytes=100_000)
ROOM = ReaderEntry(name="room", token="control-room-0123456789")


def clock():
    return NOW + 60


@pytest.fixture(scope="module")
def served(town_trained, tmp_path_factory):
    url = f"duckdb:///{tmp_path_factory.mktemp('api') / 'deep.duckdb'}"
    with application_of(town_trained, url, until=NOW, clock=clock, limits=LIMITS) as found:
        yield found


@pytest.fixture(scope="module")
def client(served):
    with httpx.Client(base_url=served[0], trust_env=False, timeout=60) as client:
        yield client


@pytest.fixture
def weather(town_trained):
    return town_trained.encoders["weather"]


def body_of(town, name, times):
    package = town.encoders[name]
    times_B = np.array(times, np.int64)
    encoded = package.encode(town.panel(name), times_B)
    return pack_deep(to_rows(package.space, cell_names(package.cells), times_B, encoded))


def push(client, space, content, *, token=TOKENS["weather"], form=BLOB, revision=0, **headers):
    headers = {"Authorization": f"Bearer {token}", "Content-Type": form, **headers}
    query = {"space": str(space), "revision": revision}
    return client.post("/deep-data", params=query, content=content, headers=headers)


def taken(**counts):
    none = dict.fromkeys(("new", "repeated", "revised", "outdated", "expired"), 0)
    return {**none, "notices": [], **counts}


def assert_refused(reply, status):
    assert reply.status_code == status, reply.text
    errors = reply.json()["errors"]
    assert errors
    assert all(set(one) == {"value", "reason", "next"} and one["next"] for one in errors)
    return reply.text


def test_deep_data_in_and_a_forecast_out(town_trained, client, served, weather):
    reply = push(client, weather.space, body_of(town_trained, "weather", [NOW - HOUR, NOW]))
    assert reply.json() == taken(new=2)
    reply = push(client, weather.space, body_of(town_trained, "weather", [NOW]))
    assert reply.json() == taken(repeated=1)
    answer = client.get("/forecast").json()
    found = served[1].forecast(NOW)
    assert answer["at"] == "2024-05-25T00:00:00Z"
    assert (answer["used"], answer["late"]) == (["weather"], ["gates"])
    assert [one["place"] for one in answer["places"]] == ["a", "b", "c"]
    for key, values in {"value": found.value_NH, "low": found.low_NH}.items():
        np.testing.assert_allclose([p[key] for p in answer["places"]], values, atol=1e-3)
    assert answer["times"] == ["2024-05-25T00:00:00Z", "2024-05-25T01:00:00Z"]


def test_a_revision_replaces_and_an_older_one_changes_nothing(town_trained, client, weather):
    space, at = weather.space, NOW - 9 * HOUR
    first = body_of(town_trained, "weather", [at])
    row = {"time": at, "cell": cell_names(weather.cells)[0], "vector": [0.1, 0.2, 0.3]}
    other, gone = (
        json.dumps({"rows": [{**row, **more}]})
        for more in ({}, {"vector": [0, 0, 0], "known": False})
    )
    plain = {"form": "application/json"}
    assert push(client, space, first).json() == taken(new=1)
    assert "a higher revision" in assert_refused(push(client, space, other, **plain), 422)
    assert push(client, space, other, revision=3, **plain).json() == taken(revised=1)
    assert push(client, space, other, revision=3, **plain).json() == taken(repeated=1)
    assert push(client, space, first, revision=2).json() == taken(outdated=1)
    assert "revision 3" in assert_refused(push(client, space, gone, revision=3, **plain), 422)
    assert push(client, space, gone, revision=4, **plain).json() == taken(revised=1)
    assert push(client, space, first).json() == taken(outdated=1)
    for revision in (-1, 1 << 63, "new"):
        assert "revision" in assert_refused(push(client, space, first, revision=revision), 422)


def test_the_same_as_json_and_in_arrays(town_trained, client, weather):
    encoded = weather.encode(town_trained.panel("weather"), np.array([NOW - 5 * HOUR]))
    row = {
        "time": NOW - 5 * HOUR,
        "cell": cell_names(weather.cells)[0],
        "vector": encoded.vectors_BCD[0, 0].astype(float).tolist(),
    }
    body = json.dumps({"rows": [row]})
    assert push(client, weather.space, body, form="application/json").json()["new"] == 1
    again = push(client, weather.space, body_of(town_trained, "weather", [NOW - 5 * HOUR]))
    assert again.json()["repeated"] == 1  # to the bit
    query = {"at": NOW, "place": ["b", "a"]}
    plain = client.get("/forecast", params=query).json()
    arrow = client.get("/forecast", params=query, headers={"Accept": ARROW})
    assert arrow.headers["Deepcity-Late"]
    columns = pl.read_ipc_stream(arrow.content)
    assert columns["place"].to_list() == ["b", "b", "a", "a"]
    values = [value for place in plain["places"] for value in place["value"]]
    np.testing.assert_allclose(columns["value"], values, atol=1e-3)


def test_who_is_late(client):
    agencies = {one["name"]: one for one in client.get("/agencies").json()["agencies"]}
    assert set(agencies) == {"weather", "gates"}
    assert agencies["gates"]["status"] == "no-data"
    assert client.get("/health").json()["ready"] is True


@pytest.mark.parametrize("token", ["weather", TOKENS["weather"] + "x", "ü"])
def test_without_a_token_nothing_is_taken(client, weather, token):
    headers = {"Authorization": f"Bearer {token}".encode()}
    reply = client.post("/deep-data", params={"space": str(weather.space)}, headers=headers)
    assert reply.headers["WWW-Authenticate"] == "Bearer"
    assert "Authorization" in assert_refused(reply, 401)


def test_refusals_say_what_and_why_and_what_next(town_trained, client, weather):
    body = body_of(town_trained, "weather", [NOW])
    assert "own token" in assert_refused(
        push(client, weather.space, body, token=TOKENS["gates"]), 403
    )
    other = str(weather.space).replace(weather.version, "feedfeedfeedfeed")
    assert "never mixed" in assert_refused(push(client, other, body), 409)
    assert "not a space" in assert_refused(push(client, "weather", body), 422)
    assert "cannot be read" in assert_refused(push(client, weather.space, body[:40]), 422)
    assert "deepcity.deep-data" in assert_refused(
        push(client, weather.space, body, form="text/csv"), 422
    )
    ahead = {"Deepcity-Sent-At": str(NOW + HOUR)}
    assert "NTP" in assert_refused(push(client, weather.space, body, **ahead), 412)
    assert_refused(push(client, weather.space, body, **{"Deepcity-Sent-At": "soon"}), 422)
    future = body_of(town_trained, "weather", [NOW + HOUR])
    assert "in the future" in assert_refused(push(client, weather.space, future), 422)
    assert_refused(
        client.post("/deep-data", headers={"Authorization": f"Bearer {TOKENS['gates']}"}), 422
    )


def test_a_body_that_is_too_large_is_not_read_to_its_end(client, weather):
    def endless():
        for _ in range(1000):
            yield b"0" * 10_000

    try:
        reply = push(client, weather.space, endless())
    except httpx.HTTPError:
        return  # the server hung up before it had all
    assert "100,000 bytes" in assert_refused(reply, 413)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"at": "yesterday"}, 422),
        ({"at": "2024-05-25T00:00:00"}, 422),
        ({"at": "9" * 30}, 422),
        ({"at": "2030-01-01T00:00:00Z"}, 404),
        ({"at": "2020-01-01T00:00:00Z"}, 404),
        ({"at": "99999999999"}, 404),
        ({"place": "nowhere"}, 404),
    ],
)
def test_questions_that_cannot_be_answered(client, query, status):
    assert_refused(client.get("/forecast", params=query), status)


def test_readers_need_a_token_where_some_are_named(town_trained, tmp_path):
    allowed = access(readers=[ROOM])
    url = f"duckdb:///{tmp_path / 'deep.duckdb'}"
    with (
        application_of(town_trained, url, until=NOW, allowed=allowed, clock=clock) as (address, _),
        httpx.Client(base_url=address, trust_env=False) as client,
    ):
        for path in ("/forecast", "/agencies"):
            assert_refused(client.get(path), 401)
            assert_refused(
                client.get(path, headers={"Authorization": f"Bearer {TOKENS['gates']}"}), 401
            )
            right = {"Authorization": f"Bearer {ROOM.token}"}
            assert client.get(path, headers=right).status_code == 200
        assert client.get("/health").status_code == 200


def test_an_outbox_is_delivered_in_order_and_bad_parcels_are_set_aside(
    town_trained, client, served, tmp_path
):
    package, panel = town_trained.encoders["gates"], town_trained.panel("gates", NOW)
    with Outbox(tmp_path / "outbox") as outbox:
        outbox.put([Draft(str(package.space), 1, b"no stream")], {})
        LiveAgency(package, outbox).encode_new(panel, NOW)
        delivery = Delivery(outbox, served[0], lambda: TOKENS["gates"], clock)
        found = delivery.deliver()
        assert [one.outcome for one in found] == [DeliveryOutcome.REFUSED, DeliveryOutcome.SENT]
        assert "a header of" in outbox.waiting().reason
        assert outbox.waiting().parcels == 0
        assert "gates" in client.get("/forecast").json()["used"]
        outbox.put([Draft(str(package.space), 1, b"")], {})
        delivery.token = lambda: "wrong"
        assert delivery.deliver()[0].outcome is DeliveryOutcome.WAITS  # nothing would go better
        assert delivery.pause_s > 0
        assert not delivery.deliver()  # patient
        assert outbox.waiting().parcels == 1
        delivery.close()


def test_rows_past_their_time_are_reported_and_leave_the_outbox(town_trained, tmp_path):
    """Each row is answered for once in effect: stored, or refused as too old."""
    package, url = town_trained.encoders["gates"], f"duckdb:///{tmp_path / 'deep.duckdb'}"
    where = {"until": NOW, "clock": lambda: NOW + 30 * DAY - 12 * HOUR}
    with application_of(town_trained, url, **where) as (address, application):
        application.store.retain(package.space, 30)
        with Outbox(tmp_path / "outbox") as outbox:
            LiveAgency(package, outbox).encode_new(town_trained.panel("gates", NOW), NOW)
            body = outbox.first().body
            delivery = Delivery(outbox, address, lambda: TOKENS["gates"], where["clock"])
            (sent,) = delivery.deliver()
            assert (sent.outcome, sent.rows, sent.expired) == (DeliveryOutcome.SENT, 75, 36)
            assert "rows before 2024-05-24T12:00:00Z: 36 of 75 rows" in sent.reason
            assert "--keep-days" in sent.reason
            assert outbox.waiting().parcels == outbox.waiting().refused == 0
            assert delivery.deliver() == []
            delivery.close()
        with httpx.Client(base_url=address, trust_env=False) as client:
            reply = push(client, package.space, body, token=TOKENS["gates"]).json()
        assert (reply["repeated"], reply["expired"]) == (39, 36)
        (entry,) = reply["notices"]
        assert "30 days" in entry["reason"]
        assert application.store.tend(int(where["clock"]())) == 0


def test_a_receiver_that_is_away_is_tried_later_and_later(tmp_path):
    with Outbox(tmp_path / "outbox") as outbox:
        outbox.put([Draft("town/environment/weather/h3@v1", 1, b"")], {})
        delivery = Delivery(outbox, "http://127.0.0.1:9", lambda: "token")
        pauses = []
        for _ in range(9):
            (entry,) = delivery.deliver(patient=False)
            assert entry.outcome is DeliveryOutcome.WAITS
            assert "cannot be reached" in entry.reason
            pauses.append(round(delivery.pause_s))
        assert pauses[:4] == [1, 2, 4, 8]
        assert max(pauses) == 60
        assert outbox.waiting().parcels == 1


def test_every_route_has_its_answers_and_examples_described(client):
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) == {"/deep-data", "/forecast", "/decision", "/agencies", "/health"}
    for path, verbs in paths.items():
        for verb, route in verbs.items():
            assert route["description"], (path, verb)
            assert "200" in route["responses"]
    text = json.dumps(client.get("/openapi.json").json())
    for example in ("8930e1d8c4fffff", "2024-05-01T10:00:00Z", ARROW, BLOB):
        assert example in text


def test_the_decision_is_answered_with_its_certainty_and_until_when_it_holds(served, client):
    answer = client.get("/decision").json()
    found = decide(served[1], served[1].forecast(NOW))
    assert answer["at"] == "2024-05-25T00:00:00Z"
    assert answer["valid_until"] == "2024-05-25T01:00:00Z"
    assert answer["certainty"] == found.decision.certainty
    assert (answer["task"], answer["confirm"]) == ("forecast", "operator")
    assert [one["place"] for one in answer["actions"]] == [
        one.place for one in found.decision.actions
    ]
    assert answer["errors"] == found.errors
    assert set(answer["used"]) | set(answer["late"]) == {"weather", "gates"}


@pytest.mark.parametrize(
    "asked", ["51", "51,13,9", "51,13,0,0", "nan,13,0", "91,13,0", "51,13,0,1,1", "a,b,c"]
)
def test_a_request_that_is_none_is_refused(client, asked):
    text = assert_refused(client.get("/decision", params={"request": asked}), 422)
    assert "51.05,13.74,1,4" in text  # an example that fits


def test_requests_are_taken_and_too_many_are_refused(client):
    assert client.get("/decision", params={"request": "51.05,13.74,1,4"}).status_code == 200
    many = {"request": ["51.05,13.74,1,4"] * 101}
    assert "101 requests" in assert_refused(client.get("/decision", params=many), 422)


def test_how_many_patrols_there_are_is_a_number_from_0_on(client):
    assert client.get("/decision", params={"units": 3}).status_code == 200
    for wrong in (-1, 100_001, "many"):
        assert_refused(client.get("/decision", params={"units": wrong}), 422)
