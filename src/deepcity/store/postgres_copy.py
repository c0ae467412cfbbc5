"""Rows of deep data to and from PostgreSQL as one block of bytes: its binary COPY format.

Every row of a space has the same length, so NumPy lays a whole batch out at once; a million
rows need no work row by row. The format is that of the PostgreSQL manual, chapter COPY,
"Binary Format"; a vector in it is how pgvector's `vector_send` writes it: its width, two
unused bytes, and the numbers, all big-endian.

Shapes: N rows, W width of a vector.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection

from deepcity.store.arrivals import Ids
from deepcity.store.deep_data import Seconds, Vectors

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # no flags, no further header
_END = b"\xff\xff"
_CHUNK = 16_384  # rows laid out at a time


def send_rows(
    connection: Connection[Any], table: str, id_N: Ids, time_N: Seconds, vectors_NW: Vectors
) -> None:
    """Write rows into the columns cell, time and vector of a table.

    Raises:
        psycopg.Error: if the database refuses; the transaction is void then.
    """
    command = f"copy {table} (cell, time, vector) from stdin (format binary)"
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        copy.write(_SIGNATURE)
        for start in range(0, len(id_N), _CHUNK):
            part = slice(start, start + _CHUNK)
            copy.write(_laid_out(id_N[part], time_N[part], vectors_NW[part]).tobytes())
        copy.write(_END)


def fetch_rows(
    connection: Connection[Any], query: str, values: dict[str, Any], width: int
) -> tuple[Ids, Seconds, Vectors]:
    """What a query for (integer, bigint, vector) gives -> three arrays.

    Raises:
        psycopg.Error: if the database refuses.
    """
    command = f"copy ({query}) to stdout (format binary)"
    with connection.cursor() as cursor, cursor.copy(command, values) as copy:
        block = b"".join(copy)
    row = _row(width)
    rows = np.frombuffer(
        block, row, (len(block) - len(_SIGNATURE)) // row.itemsize, len(_SIGNATURE)
    )
    return (
        rows["cell"].astype(np.int32),
        rows["time"].astype(np.int64),
        rows["vector"].astype(np.float32),
    )


def _laid_out(id_N: Ids, time_N: Seconds, vectors_NW: Vectors) -> NDArray[np.void]:
    width = vectors_NW.shape[1]
    rows = np.zeros(len(id_N), _row(width))
    rows["columns"] = 3
    rows["cell_bytes"], rows["cell"] = 4, id_N
    rows["time_bytes"], rows["time"] = 8, time_N
    rows["vector_bytes"], rows["width"], rows["vector"] = 4 + 4 * width, width, vectors_NW
    return rows


def _row(width: int) -> np.dtype[np.void]:
    return np.dtype(
        [
            ("columns", ">i2"),
            ("cell_bytes", ">i4"),
            ("cell", ">i4"),
            ("time_bytes", ">i4"),
            ("time", ">i8"),
            ("vector_bytes", ">i4"),
            ("width", ">i2"),
            ("unused", ">i2"),
            ("vector", ">f4", (width,)),
        ]
    )
