"""Deep data over a wire: what goes in comes out, and whatever is no deep data is refused."""

import json
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcity.city.errors import DeepDataError, RequestTooLargeError
from deepcity.live.wire import BLOB, JSON, pack_deep, read_space, unpack_deep
from deepcity.store import blob
from deepcity.store.deep_data.batch import DeepData, Space

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
    [(pack_deep, BLOB), (as_json, JSON), (as_json, "application/json; charset=utf-8")],
)
def test_what_goes_in_comes_out(pack, form):
    found = unpack_deep(SPACE, pack(ROWS), form)
    assert found.time_R.tolist() == ROWS.time_R.tolist()
    assert found.cell_R.tolist() == ROWS.cell_R.tolist()
    np.testing.assert_array_equal(found.vectors_RW, ROWS.vectors_RW)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "JSON|Expecting"),
        (b"[]", "rows"),
        (b'{"rows": []}', "rows"),
        (b'{"rows": [1]}', "rows"),
        (b'{"rows": [{"time": 1, "cell": "a"}]}', "no column 'vector'"),
        (b'{"rows": [{"time": 1.5, "cell": "a", "vector": [1, 2]}]}', "not an integer"),
        (b'{"rows": [{"time": "10:00", "cell": "a", "vector": [1, 2]}]}', "not an integer"),
        (b'{"rows": [{"time": 1, "cell": 5, "vector": [1, 2]}]}', "is not text"),
        (b'{"rows": [{"time": 1, "cell": "a", "vector": "x"}]}', "not numbers"),
        (
            b'{"rows": [{"time": 1, "cell": "a", "vector": [1]}, '
            b'{"time": 1, "cell": "b", "vector": [1, 2]}]}',
            "as many",
        ),
        (b'{"rows": [{"time": 1, "cell": "a", "vector": [true, 2]}]}', "not numbers"),
        (b'{"rows": [{"time": 1, "cell": "a", "vector": [1], "known": 1}]}', "not true or"),
        (b'{"rows": [{"time": true, "cell": "a", "vector": [1]}]}', "not an integer"),
        (b'{"rows": [{"time": 99999999999999999999, "cell": "a", "vector": [1, 2]}]}', "seconds"),
        (b"\xff\xfe\x00", "decode|utf"),
    ],
)
def test_json_that_is_no_deep_data(body, message):
    with pytest.raises(DeepDataError, match=message):
        unpack_deep(SPACE, body, JSON)


@pytest.mark.parametrize("form", [BLOB, JSON])
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


@pytest.mark.parametrize("pack", [(pack_deep, BLOB), (as_json, JSON)], ids=["blob", "json"])
def test_more_rows_than_may_be_are_not_unpacked(pack):
    body = pack[0](ROWS)
    assert len(unpack_deep(SPACE, body, pack[1], max_rows=3)) == 3
    with pytest.raises(RequestTooLargeError, match=r"3 rows: one request holds 2 rows at most"):
        unpack_deep(SPACE, body, pack[1], max_rows=2)


ARROW = "application/vnd.apache.arrow.stream"


@pytest.mark.parametrize("form", ["", "text/csv", "application/octet-stream", ARROW])
def test_other_forms_are_refused_with_those_there_are(form):
    with pytest.raises(DeepDataError, match=r"deepcity\.deep-data.* or application/json"):
        unpack_deep(SPACE, b"", form)


PLAIN = {
    "time": ROWS.time_R,
    "cell": np.array([10, 11, 10]),
    "vector": ROWS.vectors_RW,
}


def without(name):
    return {key: value for key, value in PLAIN.items() if key != name}


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({}, "no column|lengths"),
        (without("time"), "no column 'time'"),
        (without("cell"), "no column 'cell'"),
        (without("vector"), "no column 'vector'"),
        ({**PLAIN, "more": ROWS.time_R}, "more: int64 of 1 axes fits no column"),
        ({**PLAIN, "time": ROWS.time_R.astype(float)}, "time: float64"),
        ({**PLAIN, "time": ROWS.time_R[:, None]}, "time: int64 of 2 axes"),
        ({**PLAIN, "time": np.array(3600)}, "time: int64 of 0 axes"),
        ({**PLAIN, "time": ROWS.time_R[:2]}, "columns have 2 different lengths"),
        ({**PLAIN, "cell": np.array([10, -1, 10])}, "cell: a number below 0"),
        ({**PLAIN, "vector": ROWS.vectors_RW.astype(float)}, "vector: float64"),
        ({**PLAIN, "vector": ROWS.vectors_RW[:, 0]}, "vector: float32 of 1 axes"),
        (
            {**PLAIN, "vector": np.zeros((10**12, 0), np.float32)},
            "columns have 2 different lengths",
        ),
        ({**PLAIN, "known": np.array([1, 0, 1], np.uint8)}, "known: uint8"),
    ],
)
def test_a_blob_with_other_columns_is_refused(columns, reason):
    with pytest.raises(DeepDataError, match=reason):
        unpack_deep(SPACE, blob.pack({"rows": columns}, {"format": 1}), BLOB)


@pytest.mark.parametrize(
    ("groups", "header"),
    [
        ({"rows": PLAIN}, {}),
        ({"rows": PLAIN}, {"format": 2}),
        ({"rows": PLAIN}, {"format": 1, "more": 1}),
        ({"h1": PLAIN}, {"format": 1}),
        ({"rows": PLAIN, "h1": {}}, {"format": 1}),
        ({}, {"format": 1}),
    ],
)
def test_another_blob_is_no_deep_data(groups, header):
    with pytest.raises(DeepDataError, match="not deep data of format 1"):
        unpack_deep(SPACE, blob.pack(groups, header), BLOB)


def entry(dtype, shape, start, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def hand_made(table, data=b"", length=None):
    text = json.dumps(table).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


METADATA = {"__metadata__": {"deepcity": '{"groups":["rows"],"header":{"format":1}}'}}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x10",
        pack_deep(ROWS)[:-1],
        pack_deep(ROWS) + b"\0",
        pack_deep(ROWS)[:40],
        hand_made(METADATA, length=1 << 63),
        hand_made(METADATA, length=900),
        hand_made({**METADATA, "rows/time": entry("I64", [1 << 60], 0, 8)}, b"\0" * 8),
        hand_made({**METADATA, "rows/time": entry("I64", [1 << 62, 1 << 62], 0, 8)}, b"\0" * 8),
        hand_made({**METADATA, "rows/time": entry("I64", [1], 0, 1 << 40)}, b"\0" * 8),
        hand_made({**METADATA, "rows/time": entry("I64", [-1], 0, 8)}, b"\0" * 8),
        hand_made({**METADATA, "rows/time": entry("I64", [1], 8, 0)}, b"\0" * 8),
        hand_made(  # two columns of the same bytes
            {
                **METADATA,
                "rows/time": entry("I64", [1], 0, 8),
                "rows/cell": entry("I64", [1], 0, 8),
            },
            b"\0" * 8,
        ),
        hand_made({"__metadata__": {"deepcity": "[" * 900}}),
        b"\xff\xff\xff\xff" + b"\x10\0\0\0" * 500,
    ],
)
def test_lengths_that_lie_are_refused(body):
    with pytest.raises(DeepDataError):
        unpack_deep(SPACE, body, BLOB)


def test_a_header_of_many_columns_is_not_read():
    many = {f"rows/{n}": entry("I64", [0], 0, 0) for n in range(50_000)}
    body = hand_made({**METADATA, **many})
    tracemalloc.start()
    try:
        with pytest.raises(DeepDataError, match=r"a header of [\d,]+ bytes; at most 1,000"):
            unpack_deep(SPACE, body, BLOB)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 1_000_000


NESTED = b"\xff\xff\xff\xff" + b"\x10\0\0\0" * 5000
"""How an Arrow stream begins; its nested lists would end a reader that trusts them."""


@pytest.mark.parametrize("form", [BLOB, JSON, ARROW])
def test_an_arrow_stream_is_refused_unread(form):
    with pytest.raises(DeepDataError, match=r"Arrow|Content-Type|decode|codec"):
        unpack_deep(SPACE, NESTED, form)


@given(st.binary(max_size=60), st.integers(0, 700))
@settings(max_examples=200)
def test_a_damaged_blob_is_read_or_refused_and_nothing_else(noise, place):
    body = bytearray(pack_deep(ROWS))
    body[place : place + len(noise)] = noise
    try:
        found = unpack_deep(SPACE, bytes(body), BLOB)
    except (DeepDataError, RequestTooLargeError):
        return
    assert found.vectors_RW.shape == (3, 2)
    assert found.cell_R.shape == found.time_R.shape == (3,)


@given(st.binary(max_size=2000), st.integers(0, 1100))
@settings(max_examples=200)
def test_noise_is_refused(noise, length):
    """With a header as long as it says, and with any."""
    for body in (noise, length.to_bytes(8, "little") + noise):
        with pytest.raises(DeepDataError):
            unpack_deep(SPACE, body, BLOB)


@pytest.mark.parametrize("text", ["", "a/b/c@d", "a/b/c/d", "a/b/c/d@", "a/b//d@e", "a/b/c/d/e@f"])
def test_what_is_no_space(text):
    with pytest.raises(DeepDataError):
        read_space(text)


def test_a_space_by_its_name():
    assert read_space(str(SPACE)) == SPACE
