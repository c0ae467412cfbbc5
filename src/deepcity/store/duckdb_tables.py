"""The tables of deep data in a DuckDB file, and what is asked of them.

    spaces      a row a space
    cells       a row a cell of a space
    deep_1 ...  a table a space, by its number: cell, time, vector

Shapes as in `deep_data`; U rows with a cell and time of their own, N rows to write.
"""

from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np

from deepcity.store.arrivals import Ids, Rows, Settled, Stored
from deepcity.store.deep_data import DeepData, Space, Vectors, coded
from deepcity.store.deep_data_store import Distance, Shelf, check_room

SCHEMA = """
create table if not exists spaces (
    id integer primary key, city text, domain text, agency text, layer text, version text,
    width integer, days integer);
create table if not exists cells (space integer, id integer, name text);
"""
CHUNK_ROWS = 65_536
"""Rows handed over at a time: a copy of them by column is all the memory it takes."""

_IS_SPACE = "city = ? and domain = ? and agency = ? and layer = ? and version = ?"
_DISTANCES = {
    "l2": "array_distance(vector, $vector::float[{width}])",
    # a vector of zeros has no angle: it stands at a right one
    "cosine": "coalesce(nullif(array_cosine_distance(vector, $vector::float[{width}]), 'nan'), 1)",
}


def find(cursor: duckdb.DuckDBPyConnection, space: Space) -> tuple[int, int] | None:
    """Number of a space's table, and its width; None if it is not there."""
    query = f"select id, width from spaces where {_IS_SPACE}"
    found = cursor.execute(query, _texts(space)).fetchone()
    return None if found is None else (int(found[0]), int(found[1]))


def make_room(cursor: duckdb.DuckDBPyConnection, space: Space, width: int, days: int | None) -> int:
    """Number of the table of a space, made if it is not there."""
    found = find(cursor, space)
    if found is not None:
        check_room(space, width, None, held=found[1])
        return found[0]
    table = one(cursor.execute("select coalesce(max(id), 0) + 1 from spaces"))
    row = [table, *_texts(space), width, days]
    cursor.execute("insert into spaces values (?, ?, ?, ?, ?, ?, ?, ?)", row)
    cursor.execute(f"create table deep_{table} (cell integer, time bigint, vector float[{width}])")
    return table


def ids(cursor: duckdb.DuckDBPyConnection, table: int, batch: DeepData) -> Ids:
    """The number of each row's cell; new cells get the next ones."""
    names, code_R = coded(batch.cell_R)
    query = "select name, id from cells where space = ?"
    known: dict[str, int] = dict(cursor.execute(query, [table]).fetchall())
    fresh = [name for name in names.tolist() if name not in known]
    if fresh:
        first = len(known)
        numbers = np.arange(first, first + len(fresh), dtype=np.int32)
        cursor.execute(
            "insert into cells select ?, unnest(?::integer[]), unnest(?::text[])",
            [table, numbers.tolist(), fresh],
        )
        known |= dict(zip(fresh, numbers.tolist(), strict=True))
    return np.array([known[name] for name in names.tolist()], np.int32)[code_R]


def stored(
    cursor: duckdb.DuckDBPyConnection, table: int, batch: DeepData, id_R: Ids, own_U: Rows
) -> Stored:
    """What the store holds for rows of a batch."""
    keys = {"row": own_U, "cell": id_R[own_U], "time": batch.time_R[own_U]}
    query = f"select k.row, d.vector from deep_{table} d join keys k using (cell, time)"
    columns: dict[str, Any] = {"row": [], "vector": []}
    if own_U.size:
        first, last = int(batch.time_R[0]), int(batch.time_R[-1])
        cursor.register("keys", keys)
        span = f"where d.time between {first} and {last}"
        columns = cursor.execute(f"{query} {span}").fetchnumpy()
        cursor.unregister("keys")
    return Stored(np.asarray(columns["row"], np.int64), stacked(columns["vector"], batch.width))


def write(
    cursor: duckdb.DuckDBPyConnection, table: int, batch: DeepData, id_R: Ids, settled: Settled
) -> None:
    """Remove what is revised and insert what is new."""
    remove_N, insert_N = settled.remove_N, settled.insert_N
    if remove_N.size:
        cursor.register("gone", {"cell": id_R[remove_N], "time": batch.time_R[remove_N]})
        cursor.execute(f"delete from deep_{table} where (cell, time) in (from gone)")
        cursor.unregister("gone")
    numbers = [f"n{place}" for place in range(batch.width)]
    vector = f"array_value({', '.join(numbers)})"
    for start in range(0, len(insert_N), CHUNK_ROWS):
        part_N = insert_N[start : start + CHUNK_ROWS]
        rows = {"cell": id_R[part_N], "time": batch.time_R[part_N]}
        columns_WN = np.ascontiguousarray(batch.vectors_RW[part_N].T)
        cursor.register("rows", rows | dict(zip(numbers, columns_WN, strict=True)))
        cursor.execute(f"insert into deep_{table} select cell, time, {vector} from rows")
        cursor.unregister("rows")


def rows_where(table: int, where: str) -> str:
    """The query for the rows of a space that meet a condition."""
    return (
        f"select name, time, vector from deep_{table} "
        f"join cells on space = {table} and id = cell where {where}"
    )


def nearest_rows(table: int, width: int, k: int, by: Distance) -> str:
    """The query for the k rows nearest to $vector with $since <= time < $until."""
    distance = _DISTANCES[by].format(width=width)
    return (
        f"select name, time, vector, {distance} as distance from deep_{table} "
        f"join cells on space = {table} and id = cell where time >= $since and time < $until "
        f"order by distance, time, name limit {int(k)}"
    )


def among(table: int, cells: Sequence[str] | None) -> str:
    """The condition that a row's cell is one of $cells; None: any."""
    if cells is None:
        return ""
    wanted = "name in (select unnest($cells::text[]))"
    return f" and cell in (select id from cells where space = {table} and {wanted})"


def named(cells: Sequence[str] | None) -> dict[str, Any]:
    """The value of $cells, where `among` asks for it."""
    return {} if cells is None else {"cells": [str(cell) for cell in cells]}


def arrays(columns: dict[str, Any], width: int) -> tuple[Any, Any, Vectors]:
    """Columns of rows -> time_R, cell_R, vectors_RW."""
    time_R = np.asarray(columns["time"], np.int64)
    return time_R, np.array(columns["name"], np.str_), stacked(columns["vector"], width)


def stacked(vectors: Sequence[Any], width: int) -> Vectors:
    """A column of vectors -> one array; np.stack knows no width where there are no rows."""
    empty = np.empty((0, width), np.float32)
    return np.stack(list(vectors)).astype(np.float32, copy=False) if len(vectors) else empty


def shelves(cursor: duckdb.DuckDBPyConnection) -> tuple[Shelf, ...]:
    """All spaces, in order."""
    rows = cursor.execute("from spaces order by city, domain, agency, layer, version").fetchall()
    return tuple(Shelf(Space(*row[1:6]), row[6], row[7]) for row in rows)


def _texts(space: Space) -> list[str]:
    return [space.city, space.domain, space.agency, space.layer, space.version]


def one(cursor: duckdb.DuckDBPyConnection) -> int:
    """The number that a query gives."""
    row = cursor.fetchone()
    return 0 if row is None else int(row[0])
