"""Columns of numbers and texts as an Arrow IPC stream, which most tools read and write.

Shapes: R rows, W numbers of a vector.
"""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

ARROW = "application/vnd.apache.arrow.stream"
"""The media type."""

LONGEST_TEXT = 200
"""Characters of a text; a longer one is not read."""


def to_arrow(columns: Mapping[str, NDArray[Any]]) -> bytes:
    """Columns (R,) or (R, W) of equal length as one stream; (R, W) become lists of fixed size."""
    frame = pl.DataFrame({name: _series(name, values) for name, values in columns.items()})
    buffer = BytesIO()
    frame.write_ipc_stream(buffer)
    return buffer.getvalue()


def from_arrow(blob: bytes) -> dict[str, NDArray[Any]]:
    """Columns of a stream: numbers as they are, texts as NumPy texts, lists as (R, W).

    Raises:
        ValueError: if it is no whole stream, or holds lists of unequal length, long texts, or
            anything but numbers and texts.
    """
    try:
        frame = pl.read_ipc_stream(BytesIO(blob))
        return {series.name: _array(series) for series in frame}
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = str(error).strip().splitlines()[0][:200]
        msg = f"no whole Arrow IPC stream: {reason}"
        raise ValueError(msg) from error


def _series(name: str, values: NDArray[Any]) -> pl.Series:
    if values.dtype.kind == "U":
        return pl.Series(name, values.tolist(), dtype=pl.String)
    if values.ndim == 2 and not len(values):
        inner = pl.Series(values.reshape(-1)).dtype
        return pl.Series(name, [], dtype=pl.Array(inner, values.shape[1]))
    return pl.Series(name, values)


def _array(series: pl.Series) -> NDArray[Any]:
    if series.null_count():
        msg = f"column {series.name!r} has {series.null_count()} empty values"
        raise ValueError(msg)
    if isinstance(series.dtype, pl.List):
        widths = series.list.len().unique()
        if len(widths) != 1:
            msg = f"column {series.name!r} holds lists of {len(widths)} lengths"
            raise ValueError(msg)
        series = series.cast(pl.Array(series.dtype.inner, int(widths[0])))
    if series.dtype in (pl.String, pl.Categorical):
        return _texts(series.cast(pl.String))
    inner = series.dtype.inner if isinstance(series.dtype, pl.Array) else series.dtype
    if inner is None or not (inner.is_numeric() or inner == pl.Boolean):
        msg = f"column {series.name!r} holds {series.dtype}: neither numbers nor texts"
        raise ValueError(msg)
    return np.asarray(series.to_numpy())


def _texts(series: pl.Series) -> NDArray[Any]:
    """As NumPy keeps them: each takes the room of the longest, so none may be long."""
    longest = series.str.len_chars().max()
    if isinstance(longest, int) and longest > LONGEST_TEXT:
        msg = (
            f"column {series.name!r} holds a text of {longest:,} characters; {LONGEST_TEXT} may be"
        )
        raise ValueError(msg)
    return np.array(series.to_list(), dtype=np.str_)
