"""Rows of deep data to and from PostgreSQL as one block of bytes: its binary COPY format.

Every row of a space has the same length, so NumPy lays a whole batch out at once; a million
rows need no work row by row. The format is that of the PostgreSQL manual, chapter COPY,
"Binary Format"; a vector in it is how pgvector's `vector_send` writes it: its width, two
unused bytes, and the numbers, all big-endian.

Shapes: N rows, W width of a vector.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection

from deepcity.city.arrays import Bools, Floats, Ints
from deepcity.store.deep_data.database import Part
from deepcity.store.deep_data.upsert import Ids

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # no flags, no further header
_END = b"\xff\xff"
_CHUNK = 16_384  # rows laid out at a time


@dataclass(frozen=True, eq=False)
class RowColumns:
    """Rows of a space's table, column by column."""

    id_N: Ids
    time_N: Ints
    revision_N: Ints
    known_N: Bools
    vectors_NW: Floats

    @property
    def part(self) -> Part:
        """Cells, times and vectors alone."""
        return self.id_N, self.time_N, self.vectors_NW

    def __getitem__(self, rows: slice) -> "RowColumns":
        return RowColumns(*(column[rows] for column in vars(self).values()))


def send_rows(connection: Connection[Any], table: str, rows: RowColumns) -> None:
    """Write rows into a space's table.

    Raises:
        psycopg.Error: if the database refuses; the transaction is void then.
    """
    columns = "cell, time, revision, known, vector"
    command = f"copy {table} ({columns}) from stdin (format binary)"
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        copy.write(_SIGNATURE)
        for start in range(0, len(rows.id_N), _CHUNK):
            copy.write(_encode_rows(rows[start : start + _CHUNK]).tobytes())
        copy.write(_END)


def fetch_rows(
    connection: Connection[Any], query: str, values: dict[str, Any], width: int
) -> RowColumns:
    """What a query for (integer, bigint, bigint, boolean, vector) gives.

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
    return RowColumns(
        rows["cell"].astype(np.int32),
        rows["time"].astype(np.int64),
        rows["revision"].astype(np.int64),
        rows["known"].astype(bool),
        rows["vector"].astype(np.float32),
    )


def _encode_rows(part: RowColumns) -> NDArray[np.void]:
    width = part.vectors_NW.shape[1]
    rows = np.zeros(len(part.id_N), _row(width))
    rows["columns"] = 5
    rows["cell_bytes"], rows["cell"] = 4, part.id_N
    rows["time_bytes"], rows["time"] = 8, part.time_N
    rows["revision_bytes"], rows["revision"] = 8, part.revision_N
    rows["known_bytes"], rows["known"] = 1, part.known_N
    rows["vector_bytes"], rows["width"], rows["vector"] = 4 + 4 * width, width, part.vectors_NW
    return rows


def _row(width: int) -> np.dtype[np.void]:
    return np.dtype(
        [
            ("columns", ">i2"),
            ("cell_bytes", ">i4"),
            ("cell", ">i4"),
            ("time_bytes", ">i4"),
            ("time", ">i8"),
            ("revision_bytes", ">i4"),
            ("revision", ">i8"),
            ("known_bytes", ">i4"),
            ("known", "i1"),
            ("vector_bytes", ">i4"),
            ("width", ">i2"),
            ("unused", ">i2"),
            ("vector", ">f4", (width,)),
        ]
    )
