"""Deep data over a wire: what goes in comes out, and whatever is no deep data is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcity.city.errors import DeepDataError, TooMuchError
from deepcity.data.arrow import ARROW
from deepcity.exchange.deep_wire import JSON, pack_deep, read_space, unpack_deep
from deepcity.store.deep_data import DeepData, Space

SPACE = Space("town", "environment", "weather", "h3", "0123456789abcdef")
ROWS = DeepData(
    SPACE,
    np.array([3600, 3600, 7200]),
    np.array(["a", "b", "a"]),
    np.array([[0.1, 0.2], [0.3, 0.4], [-1, 1]], np.float32),
)


def as_json(batch):
    rows = zip(batch.time_R.tolist(), batch.cell_R.tolist(), batch.vectors_RW.tolist(), strict=True)
    return json.dumps({"rows": [{"time": t, "cell": c, "vector": v} for t, c, v in rows]}).encode()


@pytest.mark.parametrize(
    ("pack", "form"),
    [(pack_deep, ARROW), (as_json, JSON), (as_json, "application/json; charset=utf-8")],
)
def test_what_goes_in_comes_out(pack, form):
    found = unpack_deep(SPACE, pack(ROWS), form)
    assert found.time_R.tolist() == ROWS.time_R.tolist()
    assert found.cell_R.tolist() == ROWS.cell_R.tolist()
    np.testing.assert_array_equal(found.vectors_RW, ROWS.vectors_RW)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "JSON|Expecting"),
        (b"[]", "rows"),
        (b'{"rows": []}', "rows"),
        (b'{"rows": [1]}', "rows"),
        (b'{"rows": [{"time": 1, "cell": "a"}]}', "no column 'vector'"),
        (b'{"rows": [{"time": 1.5, "cell": "a", "vector": [1, 2]}]}', "not whole seconds"),
        (b'{"rows": [{"time": "10:00", "cell": "a", "vector": [1, 2]}]}', "not whole seconds"),
        (b'{"rows": [{"time": 1, "cell": 5, "vector": [1, 2]}]}', "is not text"),
        (b'{"rows": [{"time": 1, "cell": "a", "vector": "x"}]}', "not numbers"),
        (
            b'{"rows": [{"time": 1, "cell": "a", "vector": [1]}, '
            b'{"time": 1, "cell": "b", "vector": [1, 2]}]}',
            "as many",
        ),
        (b'{"rows": [{"time": 1, "cell": "a", "vector": [true, 2]}]}', "not numbers"),
        (b'{"rows": [{"time": 1, "cell": "a", "vector": [1], "known": 1}]}', "not true or"),
        (b'{"rows": [{"time": true, "cell": "a", "vector": [1]}]}', "not whole seconds"),
        (b'{"rows": [{"time": 99999999999999999999, "cell": "a", "vector": [1, 2]}]}', "seconds"),
        (b"\xff\xfe\x00", "decode|utf"),
    ],
)
def test_json_that_is_no_deep_data(body, told):
    with pytest.raises(DeepDataError, match=told):
        unpack_deep(SPACE, body, JSON)


@pytest.mark.parametrize("form", [ARROW, JSON])
def test_what_is_taken_back_comes_out_so(form):
    vectors_RW = ROWS.vectors_RW * [[1], [0], [1]]
    sent = replace(
        ROWS, vectors_RW=vectors_RW.astype(np.float32), known_R=np.array([True, False, True])
    )
    body = pack_deep(sent)
    if form == JSON:
        plain = json.loads(as_json(sent))
        plain["rows"][1]["known"] = False  # where it is left out, it is true
        body = json.dumps(plain).encode()
    assert unpack_deep(SPACE, body, form).known_R.tolist() == [True, False, True]


@pytest.mark.parametrize("pack", [(pack_deep, ARROW), (as_json, JSON)], ids=["arrow", "json"])
def test_more_rows_than_may_be_are_not_unpacked(pack):
    body = pack[0](ROWS)
    assert len(unpack_deep(SPACE, body, pack[1], most_rows=3)) == 3
    with pytest.raises(TooMuchError, match=r"3 rows: one request holds 2 rows at most"):
        unpack_deep(SPACE, body, pack[1], most_rows=2)


@pytest.mark.parametrize("form", ["", "text/csv", "application/octet-stream"])
def test_other_forms_are_refused_with_those_there_are(form):
    with pytest.raises(DeepDataError, match=r"arrow\.stream or application/json"):
        unpack_deep(SPACE, b"", form)


@given(st.binary(max_size=60), st.integers(0, 700))
@settings(max_examples=60)
def test_a_damaged_stream_is_read_or_refused_and_nothing_else(noise, place):
    body = bytearray(pack_deep(ROWS))
    body[place : place + len(noise)] = noise
    try:
        found = unpack_deep(SPACE, bytes(body), ARROW)
    except DeepDataError:
        return
    assert found.vectors_RW.ndim == 2


@pytest.mark.parametrize("text", ["", "a/b/c@d", "a/b/c/d", "a/b/c/d@", "a/b//d@e", "a/b/c/d/e@f"])
def test_what_is_no_space(text):
    with pytest.raises(DeepDataError):
        read_space(text)


def test_a_space_by_its_name():
    assert read_space(str(SPACE)) == SPACE
