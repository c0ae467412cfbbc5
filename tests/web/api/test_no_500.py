"""Every parameter of every route, and every body, fuzzed: whatever comes, the answer is no 500."""

import json

import httpx
import numpy as np
import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import given, settings
from hypothesis import strategies as st
from live_server import TOKENS, access, store_of
from live_town import HOUR, NOW

from deepcity.live.application import LiveApplication
from deepcity.live.arrow import ARROW
from deepcity.live.decisions import DecisionLog
from deepcity.live.delivery import SENT_AT
from deepcity.live.wire import BLOB, cell_names, pack_deep
from deepcity.store.deep_data.batch import DeepData
from deepcity.web.api.app import create_app

JSON = "application/json"
TRICKY = [
    "²", "١٢", "𝟙", "1e9", "-1", "1_0", "+1", " 1", "0x10", "9" * 30, "9" * 5000, "NaN", "inf",
    "", "\x00", "a\r\nb", "%", "ü", "\ufeff", "true", "null", "None", "[]", "{}", "../..",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00Z",
    "9999-12-31T24:00:00Z", "2024-05-24T24:00:00Z", "2024-05-24T10:00:00+23:59:59.999999",
    "2024-W21-5T10:00Z", "20240524T10Z", "2024-05-24T10:00:00", "99999999999", "100000000000",
    "0", "1", str(NOW), str(NOW - HOUR), "town/environment/weather/h3@x", "a/b/c/h9@v", "a/b/c/d@",
    "51,13,1", "1e308,nan,1", "51,13,²", "51,13,1,1_0", "0,0," + "9" * 5000,
]  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(TRICKY),
    st.text(st.characters(codec="utf-8"), max_size=30),
    st.integers().map(str),
    st.datetimes().map(lambda at: at.isoformat() + "Z"),
    st.tuples(st.floats(), st.floats(), st.integers()).map(lambda few: ",".join(map(str, few))),
)
ODD = [1e30, -1e30, 10**400, 2**63, 2**63 - 1, -(2**63), -0.0, 1 + 1e-9, float("nan")]
NUMBERS = st.one_of(st.integers(), st.floats(), st.sampled_from(ODD))
WORDS = st.one_of(st.text(max_size=8), st.sampled_from(["\ud800", "\udfff", "\x00", "ü"]))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def client(town_trained, tmp_path_factory):
    """The API in this process; an error in it is answered with 500."""
    folder = tmp_path_factory.mktemp("fuzzed")
    with store_of(town_trained, f"duckdb:///{folder / 'deep.duckdb'}") as store:
        application = LiveApplication(town_trained.fused, store)
        application.load_rows(town_trained.panel("metro", NOW))
        log = DecisionLog(folder / "decisions.jsonl")
        app = create_app(application, access(), clock=lambda: NOW + 60, decisions=log)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        with start_blocking_portal() as portal:
            yield Client(httpx.AsyncClient(transport=transport, base_url="http://town"), portal)


class Client:
    """Asks the API from outside its loop."""

    def __init__(self, client, portal):
        self.client, self.portal = client, portal

    def get(self, path, **how):
        return self.portal.call(lambda: self.client.get(path, **how))

    def post(self, path, **how):
        return self.portal.call(lambda: self.client.post(path, **how))


def assert_answered(reply):
    assert reply.status_code < 500 or reply.status_code == 503, reply.text
    if reply.status_code >= 400:
        assert all(set(one) == {"value", "reason", "next"} for one in reply.json()["errors"])
    return reply.status_code


def query_names(client, path, verb):
    """A route's parameters in the query, as the API describes them."""
    route = client.get("/openapi.json").json()["paths"][path][verb]
    return [one["name"] for one in route.get("parameters", []) if one["in"] == "query"]


@pytest.mark.parametrize("path", ["/forecast", "/decision", "/agencies", "/health"])
def test_no_question_breaks_it(client, path):
    names = query_names(client, path, "get")

    @settings(max_examples=100)
    @given(
        st.lists(st.tuples(st.sampled_from([*names, "strange"]), TEXTS), max_size=3),
        st.sampled_from([ARROW, JSON, "²", "", "a" * 2000]),
    )
    def questions(query, form):
        assert_answered(client.get(path, params=query, headers={"Accept": form.encode()}))

    questions()
    for name in names:  # each alone, so that no other is refused first
        for text in TRICKY:
            assert_answered(client.get(path, params={name: text}))
    for raw in ("at=%ed%a0%80", "at=%00", "at=%ff", "place=%ed%a0%80", "at=%", "at=+", "&&=;"):
        assert_answered(client.get(f"{path}?{raw}"))


@pytest.mark.parametrize(
    "at", ["²", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-12-31T23:59:59Z"]
)
@pytest.mark.parametrize("path", ["/forecast", "/decision", "/agencies"])
def test_a_moment_that_is_none_is_refused(client, path, at):
    reply = client.get(path, params={"at": at})
    assert (reply.status_code, reply.json()["errors"][0]["value"]) == (422, at)


@pytest.fixture(scope="module")
def push(client, town_trained):
    """Send a body as the weather office; anything else of the request may be replaced."""
    own = str(town_trained.encoders["weather"].space)

    def send(body, form=JSON, space=own, revision=0, **headers):
        known = {"Authorization": f"Bearer {TOKENS['weather']}", "Content-Type": form.encode()}
        query = {"space": space, "revision": revision}
        return client.post("/deep-data", params=query, content=body, headers={**known, **headers})

    return send


def test_no_parameter_of_a_push_breaks_it(push):
    @settings(max_examples=100)
    @given(TEXTS, TEXTS, st.one_of(TEXTS, st.just(str(NOW))), st.binary(max_size=60))
    def pushes(space, revision, sent_at, body):
        head = {SENT_AT: sent_at.encode()}
        for how in ({"space": space}, {"revision": revision}, head, {"form": sent_at}):
            try:
                reply = push(body, **how)
            except ValueError:  # no header can hold it
                continue
            assert_answered(reply)

    pushes()
    for text in TRICKY:
        assert assert_answered(push(b"{}", **{SENT_AT: text.encode()})) == 422


def test_no_json_breaks_it(push, town_trained):
    cell = cell_names(town_trained.encoders["weather"].cells)[0]
    good = {"time": NOW - HOUR, "cell": cell, "vector": [0.1, 0.2, 0.3], "known": True}
    rows = st.fixed_dictionaries({key: st.just(one) | VALUES for key, one in good.items()})

    @settings(max_examples=200)
    @given(st.one_of(VALUES, st.lists(rows, max_size=3).map(lambda found: {"rows": found})))
    def bodies(value):
        text = json.dumps(value)
        assert assert_answered(push(text)) in {200, 403, 413, 422}

    bodies()
    for text in (
        '{"rows":[{"time":1,"cell":"\\ud800","vector":[0,0,0]}]}',
        '"\\ud800"',
        "\ufeff{}",
    ):
        assert push(text).status_code == 422


@pytest.mark.parametrize("number", [1.5, -1.0001, 1e30, -1e30, np.nan, np.inf])
def test_deep_data_that_no_encoder_gives_are_refused(push, town_trained, number):
    """A bottleneck ends in a tanh: every number lies in -1 to 1."""
    weather = town_trained.encoders["weather"]
    vector = np.array([[0.1, number, 0.3]], np.float32)
    rows = DeepData(weather.space, np.array([NOW - HOUR]), cell_names(weather.cells), vector)
    assert push(pack_deep(rows), BLOB).status_code == 422
    text = json.dumps(
        {"rows": [{"time": NOW, "cell": rows.cell_R[0], "vector": vector[0].tolist()}]}
    )
    assert push(text).status_code == 422


def test_no_blob_breaks_it(push, town_trained):
    weather = town_trained.encoders["weather"]
    vector = np.array([[0.1, 0.2, 0.3]], np.float32)
    good = pack_deep(DeepData(weather.space, np.array([NOW]), cell_names(weather.cells), vector))

    @settings(max_examples=200)
    @given(st.integers(0, len(good) - 1), st.binary(min_size=1, max_size=8), st.booleans())
    def blobs(at, patch, cut):
        body = good[:at] + patch + (b"" if cut else good[at + len(patch) :])
        assert assert_answered(push(body, BLOB)) in {200, 413, 422}

    blobs()
