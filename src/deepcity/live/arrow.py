"""Columns of numbers and texts as an Arrow IPC stream.

Only written, for clients that request forecasts in this format. Never read: received streams
would be unpacked by native code that trusts their headers.

Shapes: R rows.
"""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import polars as pl
from numpy.typing import NDArray

ARROW = "application/vnd.apache.arrow.stream"
"""The media type."""


def to_arrow(columns: Mapping[str, NDArray[Any]]) -> bytes:
    """Columns (R,) of equal length as one stream."""
    frame = pl.DataFrame(
        {
            name: pl.Series(name, values.tolist() if values.dtype.kind == "U" else values)
            for name, values in columns.items()
        }
    )
    buffer = BytesIO()
    frame.write_ipc_stream(buffer)
    return buffer.getvalue()
