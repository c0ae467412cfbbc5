"""Streams that would become more than they are, known by their headers alone."""

import struct
from io import BytesIO

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcity.data.arrow import LONGEST_TEXT, from_arrow, to_arrow
from deepcity.data.arrow_headers import announced_rows

ROWS = 1237
STREAM = to_arrow(
    {
        "time": np.arange(ROWS),
        "cell": np.array([f"a cell with a long name {n % 9}" for n in range(ROWS)]),
        "vector": np.zeros((ROWS, 3), np.float32),
    }
)
LENGTH = struct.pack("<q", ROWS)


def stream_of(frame, **how):
    buffer = BytesIO()
    frame.write_ipc_stream(buffer, **how)
    return buffer.getvalue()


def test_rows_are_known_before_they_are_unpacked():
    assert announced_rows(STREAM) == ROWS == len(from_arrow(STREAM)["time"])
    assert announced_rows(to_arrow({"time": np.arange(0)})) == 0
    codes = pl.Series("code", ["a", "b", "a"], dtype=pl.Categorical)
    assert announced_rows(stream_of(pl.DataFrame({"code": codes}))) >= 3  # its words count too


def test_batches_are_summed():
    schema = STREAM[: 8 + struct.unpack_from("<i", STREAM, 4)[0]]
    batch = STREAM[len(schema) : -8]
    assert announced_rows(schema + 3 * batch + STREAM[-8:]) == 3 * ROWS


@pytest.mark.parametrize("how", ["zstd", "lz4"])
def test_what_is_compressed_is_not_unpacked(how):
    bomb = stream_of(pl.DataFrame({"time": np.zeros(10**6, np.int64)}), compression=how)
    assert len(bomb) < 100_000
    with pytest.raises(ValueError, match="compressed"):
        announced_rows(bomb)


def test_rows_without_bytes_are_counted():
    nothing = stream_of(pl.DataFrame({"none": pl.Series([None] * ROWS, dtype=pl.Null)}))
    huge = struct.pack("<q", 1 << 40)
    assert announced_rows(nothing.replace(LENGTH, huge)) == 1 << 40


def test_columns_that_share_their_bytes_are_no_more_than_came():
    one = stream_of(pl.DataFrame({f"c{n}": np.arange(ROWS) + n for n in range(8)}))
    size = struct.pack("<q", 8 * ROWS)
    assert one.count(size) >= 8
    with pytest.raises(ValueError, match="announce"):
        announced_rows(one.replace(size, struct.pack("<q", 64 * ROWS)))


def test_texts_that_numpy_would_blow_up_are_not_taken():
    for dtype in (pl.String, pl.Categorical):
        texts = pl.Series("cell", ["x" * (LONGEST_TEXT + 1), "a"], dtype=dtype)
        with pytest.raises(ValueError, match="201 characters"):
            from_arrow(stream_of(pl.DataFrame({"cell": texts})))


@pytest.mark.parametrize(
    "column",
    [
        pl.Series("x", [{"a": 1}]),
        pl.Series("x", [b"abc"]),
        pl.Series("x", [["a", "b"]]),
        pl.Series("x", [[[1, 2]]]),
        pl.Series("x", [[None, None]], dtype=pl.Array(pl.Null, 2)),
    ],
    ids=lambda column: str(column.dtype),
)
def test_what_is_neither_number_nor_text_is_not_taken(column):
    with pytest.raises(ValueError, match=r"neither numbers|empty values"):
        from_arrow(stream_of(pl.DataFrame({"x": column})))


@pytest.mark.parametrize("more", [b"\0" * 8, STREAM, b"x"])
def test_nothing_comes_after_the_end(more):
    with pytest.raises(ValueError, match="after its end"):
        announced_rows(STREAM + more)


@given(st.binary(max_size=60), st.integers(0, 700))
@settings(max_examples=200)
def test_damaged_headers_are_read_or_refused_and_nothing_else(noise, place):
    body = bytearray(STREAM)
    body[place : place + len(noise)] = noise
    try:
        assert announced_rows(bytes(body)) >= 0
    except ValueError:
        return
