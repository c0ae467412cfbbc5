"""What one request may cost, asked of a real server: the value, the limit, the next step."""

import json
from io import BytesIO

import httpx
import numpy as np
import polars as pl
import pytest
from live_server import TOKENS, application_of
from live_town import HOUR, NOW

from deepcity.live.arrow import ARROW
from deepcity.live.wire import BLOB, pack_deep, read_space
from deepcity.store.deep_data.batch import DeepData
from deepcity.web.api.limits import Limits

LIMITS = Limits(max_bytes=200_000, max_json_bytes=50_000, max_rows=1000)
JSON = "application/json"


@pytest.fixture(scope="module")
def client(town_trained, tmp_path_factory):
    url = f"duckdb:///{tmp_path_factory.mktemp('limits') / 'deep.duckdb'}"
    how = {"until": NOW, "clock": lambda: NOW + 60, "limits": LIMITS}
    with (
        application_of(town_trained, url, **how) as (address, _),
        httpx.Client(base_url=address, trust_env=False, timeout=60) as client,
    ):
        yield client


@pytest.fixture
def push(client, town_trained):
    space = str(town_trained.encoders["weather"].space)

    def send(body, form=BLOB):
        headers = {"Authorization": f"Bearer {TOKENS['weather']}", "Content-Type": form}
        return client.post("/deep-data", params={"space": space}, content=body, headers=headers)

    return send


def assert_refused(reply, status, *parts):
    assert reply.status_code == status, reply.text
    (error,) = reply.json()["errors"]
    text = f"{error['value']}: {error['reason']}. {error['next']}"
    assert all(part in text for part in parts), text


def packed(count, number=0.0):
    space = read_space("town/environment/weather/h3@0123456789abcdef")
    vectors_RW = np.full((count, 3), number, np.float32)
    return pack_deep(
        DeepData(space, np.full(count, NOW - HOUR), np.array(["c"] * count), vectors_RW)
    )


def as_json(count, **more):
    row = {"time": NOW - HOUR, "cell": "c", "vector": [0, 0, 0], **more}
    return json.dumps({"rows": [row] * count})


def test_a_body_is_bounded(push):
    assert_refused(push(b"0" * 200_001), 413, "200001 bytes", "200,000 bytes at most", "fewer rows")
    assert_refused(push(b" " * 50_001, JSON), 413, "50001 bytes", "50,000 bytes at most")
    assert_refused(push(b"0" * 50_001), 422, "header")  # the tighter one is of JSON alone


def test_rows_of_a_push_are_bounded(push):
    assert_refused(push(packed(1001)), 413, "1,001 rows", "1,000 rows at most", "several requests")
    assert_refused(push(packed(1000)), 422, "known cells")  # so many are looked at
    short = '{"time":1,"cell":"c","vector":[0]}'
    assert_refused(
        push(f'{{"rows":[{",".join([short] * 1001)}]}}', JSON), 413, "1,001 rows", "1,000"
    )


@pytest.mark.parametrize("form", [ARROW, BLOB, JSON])
def test_an_arrow_stream_is_refused_and_the_server_goes_on(push, form):
    """Lists nested thousands deep, or 2 kB that would become 160 MB: no reader sees them."""
    buffer = BytesIO()
    zeros = pl.Series("vector", np.zeros(40_000_000, np.float32))
    pl.DataFrame({"vector": zeros}).write_ipc_stream(buffer, compression="zstd")
    assert len(buffer.getvalue()) < 50_000
    assert push(buffer.getvalue(), form).status_code == 422
    assert push(b"\xff\xff\xff\xff" + b"\x10\0\0\0" * 10_000, form).status_code == 422
    assert_refused(push(packed(1)), 422, "known cells")


def test_long_texts_are_not_read(push):
    """NumPy would give every row the room of the longest."""
    assert_refused(push(as_json(1, cell="x" * 40_000), JSON), 422, "40,000 characters", "200")
    assert_refused(push(as_json(1, vector=["x" * 40_000, 1]), JSON), 422, "not numbers")
    assert_refused(push("[" * 40_000, JSON), 422, "body")


@pytest.mark.parametrize(
    ("number", "reason"), [(1.5, "outside -1 to 1"), (-3e38, "outside"), (np.nan, "not finite")]
)
def test_numbers_that_no_encoder_gives_are_refused(push, number, reason):
    reply = push(packed(2, number=number))
    assert reply.status_code == 422
    assert reason in reply.text


@pytest.mark.parametrize(
    ("query", "parts"),
    [
        ({"steps": 3}, ("3 steps", "trained for 2 steps", "ask for 1 to 2")),
        ({"steps": 10**15}, (f"{10**15} steps", "ask for 1 to 2")),
        ({"steps": 0}, ("steps", "greater than or equal to 1")),
        ({"at": [NOW, NOW - HOUR]}, ("2 moments", "a request has one", "once for each")),
        ({"place": ["a"] * 4}, ("4 places", "there are 3", "each once")),
    ],
)
def test_questions_are_bounded(client, query, parts):
    assert_refused(client.get("/forecast", params=query), 422, *parts)


def test_some_of_the_steps(client):
    whole, first = (client.get("/forecast", params=query).json() for query in ({}, {"steps": 1}))
    assert first["times"] == whole["times"][:1]
    for one, all_ in zip(first["places"], whole["places"], strict=True):
        assert [one[key] for key in ("value", "low", "high")] == [
            all_[key][:1] for key in ("value", "low", "high")
        ]
