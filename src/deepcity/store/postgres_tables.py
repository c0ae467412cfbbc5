"""The tables of deep data in PostgreSQL with pgvector, in a schema of their own.

    deep_data.spaces              a row a space; who appends to a space locks its row
    deep_data.cells               a row a cell of a space
    deep_data.space_1 ...         a table a space, by its number, partitioned by day (UTC)
    deep_data.space_1_20240501    a day of it

Shapes as in `deep_data`; U rows with a cell and time of their own, N rows to write.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection

from deepcity.store.arrivals import Ids, Rows, Settled, Stored
from deepcity.store.deep_data import DeepData, Seconds, Space, Vectors, coded
from deepcity.store.deep_data_store import DAY, Distance, Shelf, check_room
from deepcity.store.postgres_copy import fetch_rows, send_rows
from deepcity.store.postgres_days import make_days

Names = dict[int, str]
"""Number of a cell -> its name."""

_SCHEMA = (
    "create extension if not exists vector",
    "create schema if not exists deep_data",
    """create table if not exists deep_data.spaces (
        id integer primary key generated always as identity,
        city text not null, domain text not null, agency text not null, layer text not null,
        version text not null, width integer not null, days integer,
        unique (city, domain, agency, layer, version))""",
    """create table if not exists deep_data.cells (
        space integer, id integer, name text not null,
        primary key (space, id), unique (space, name))""",
)
_NAMES = "city, domain, agency, layer, version"
_DISTANCES = {
    "l2": "vector <-> %(vector)s::vector",
    # a vector of zeros has no angle: it stands at a right one
    "cosine": "coalesce(nullif(vector <=> %(vector)s::vector, 'NaN'), 1)",
}


def make_schema(connection: Connection) -> None:
    """The tables that all spaces share, where they are not there yet."""
    # two stores that open an empty database at once would get into each other's way
    connection.exec_driver_sql("select pg_advisory_xact_lock(hashtext('deep_data'))")
    for command in _SCHEMA:
        connection.exec_driver_sql(command)


def find(connection: Connection, space: Space, *, lock: bool = False) -> tuple[int, int] | None:
    """Number of a space's table, and its width; None if it is not there."""
    query = (
        "select id, width from deep_data.spaces where city = %(city)s and domain = %(domain)s "
        "and agency = %(agency)s and layer = %(layer)s and version = %(version)s"
    )
    query += " for update" if lock else ""
    found = connection.exec_driver_sql(query, vars(space)).fetchone()
    return None if found is None else (int(found[0]), int(found[1]))


def make_room(connection: Connection, space: Space, width: int, days: int | None) -> int:
    """Number of the table of a space, made if it is not there; nobody else writes to it now."""
    values = ", ".join(f"%({name})s" for name in (*_NAMES.split(", "), "width", "days"))
    made = connection.exec_driver_sql(
        f"insert into deep_data.spaces ({_NAMES}, width, days) values ({values}) "
        "on conflict do nothing returning id",
        {**vars(space), "width": width, "days": days},
    ).scalar()
    if made is None:
        table, held = find(connection, space, lock=True) or (0, width)
        check_room(space, width, None, held=held)
        return table
    connection.exec_driver_sql(
        f"create table deep_data.space_{made} (cell integer not null, time bigint not null, "
        f"vector vector({width}) not null, primary key (cell, time)) partition by range (time)"
    )
    return int(made)


def ids(connection: Connection, table: int, batch: DeepData) -> Ids:
    """The number of each row's cell; new cells get the next ones."""
    cells, code_R = coded(batch.cell_R)
    connection.exec_driver_sql(
        "insert into deep_data.cells select %(table)s, last + place, name from "
        "(select coalesce(max(id), 0) as last from deep_data.cells where space = %(table)s) l, "
        "unnest(%(cells)s::text[]) with ordinality as c (name, place) "
        "where name not in (select name from deep_data.cells where space = %(table)s)",
        {"table": table, "cells": cells.tolist()},
    )
    known = {name: number for number, name in names(connection, table, cells.tolist()).items()}
    return np.array([known[name] for name in cells.tolist()], np.int32)[code_R]


def names(connection: Connection, table: int, cells: Sequence[str] | None) -> Names:
    """Cells of a space by number; None: all."""
    query = "select id, name from deep_data.cells where space = %(table)s"
    query += "" if cells is None else " and name = any(%(cells)s::text[])"
    values = {"table": table, "cells": [str(cell) for cell in cells or ()]}
    return {int(row[0]): str(row[1]) for row in connection.exec_driver_sql(query, values)}


def stored(connection: Connection, table: int, batch: DeepData, id_R: Ids, own_U: Rows) -> Stored:
    """What the store holds for rows of a batch."""
    nothing = Stored(np.empty(0, np.int64), np.empty((0, batch.width), np.float32))
    if not own_U.size:
        return nothing
    span = f"time between {int(batch.time_R[0])} and {int(batch.time_R[-1])}"
    begun = f"select exists (select from deep_data.space_{table} where {span})"
    if not connection.exec_driver_sql(begun).scalar():
        return nothing
    row_F, _, vectors_FW = rows(
        connection,
        "select k.row, d.time, d.vector "
        "from unnest(%(row)s::int[], %(cell)s::int[], %(time)s::bigint[]) as k (row, cell, time) "
        f"join (select * from deep_data.space_{table} where {span}) d using (cell, time)",
        {
            "row": own_U.tolist(),
            "cell": id_R[own_U].tolist(),
            "time": batch.time_R[own_U].tolist(),
        },
        batch.width,
    )
    return Stored(row_F.astype(np.int64), vectors_FW)


def write(connection: Connection, table: int, batch: DeepData, id_R: Ids, settled: Settled) -> None:
    """Remove what is revised and insert what is new."""
    remove_N, insert_N = settled.remove_N, settled.insert_N
    if remove_N.size:
        connection.exec_driver_sql(
            f"delete from deep_data.space_{table} where (cell, time) in "
            "(select * from unnest(%(cell)s::int[], %(time)s::bigint[]))",
            {"cell": id_R[remove_N].tolist(), "time": batch.time_R[remove_N].tolist()},
        )
    if insert_N.size:
        time_N = batch.time_R[insert_N]
        make_days(connection, table, np.unique(time_N // DAY).tolist())
        driver: Any = connection.connection.driver_connection
        name = f"deep_data.space_{table}"
        send_rows(driver, name, id_R[insert_N], time_N, batch.vectors_RW[insert_N])


def rows(
    connection: Connection, query: str, values: dict[str, Any], width: int
) -> tuple[Ids, Seconds, Vectors]:
    """What a query for (integer, bigint, vector) gives."""
    driver: Any = connection.connection.driver_connection
    return fetch_rows(driver, query, values, width)


def nearest_rows(table: int, k: int, by: Distance, *, exact: bool) -> str:
    """The query for (name, time, vector, distance) of the k rows nearest to a vector.

    The index gives rows by distance and nothing else, so where it is used, names come later
    and it is left open which of several equally near rows are the last.
    """
    names = f"join deep_data.cells as c on c.space = {table} and c.id = cell"
    order = 'distance, time, name collate "C"'
    nearest = (
        f"select {{what}}, time, vector, {_DISTANCES[by]} as distance "
        f"from deep_data.space_{table} {{where}} time >= %(since)s and time < %(until)s"
    )
    if exact:
        inner = nearest.format(what="name", where=f"{names} where") + f" order by {order}"
        outer = ""
    else:
        inner = nearest.format(what="cell", where="where") + " order by distance"
        outer = f" {names}"
    # limited before it is turned into numbers: else that would be done for every row
    limited = f"({inner} limit {int(k)}) as n{outer}"
    return f"select name, time, vector::real[], distance from {limited} order by {order}"


def shelves(connection: Connection) -> tuple[Shelf, ...]:
    """All spaces, in order."""
    order = ", ".join(f'{name} collate "C"' for name in _NAMES.split(", "))
    query = f"select {_NAMES}, width, days from deep_data.spaces order by {order}"
    found = connection.exec_driver_sql(query)
    return tuple(Shelf(Space(*row[:5]), row[5], row[6]) for row in found)
