"""The tables of deep data in PostgreSQL with pgvector, in a schema of their own.

    deep_data.spaces              a row a space; who appends to a space locks its row
    deep_data.cells               a row a cell of a space
    deep_data.space_1 ...         a table a space, by its number, partitioned by day (UTC)
    deep_data.space_1_20240501    a day of it

Shapes as in `deep_data`; U rows with a cell and time of their own, N rows to write.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection

from deepcity.city.arrays import Ints, Texts
from deepcity.store.deep_data.batch import DeepData, Space, coded
from deepcity.store.deep_data.checks import check_space_settings
from deepcity.store.deep_data.database import (
    DAY,
    DeepTables,
    ExpiredRows,
    Names,
    NearestQuery,
    Neighbours,
    Part,
    ReadQuery,
    SpaceInfo,
    SpaceTable,
)
from deepcity.store.deep_data.upsert import Ids, StoredRows, UpsertPlan
from deepcity.store.postgres import partitions as by_day
from deepcity.store.postgres.copy_format import RowColumns, fetch_rows, send_rows

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
    # a vector of zeros has no angle: its distance is set to 1
    "cosine": "coalesce(nullif(vector <=> %(vector)s::vector, 'NaN'), 1)",
}


def make_schema(connection: Connection) -> None:
    """The tables that all spaces share."""
    # two stores that open an empty database at once would conflict
    connection.exec_driver_sql("select pg_advisory_xact_lock(hashtext('deep_data'))")
    for command in _SCHEMA:
        connection.exec_driver_sql(command)


@dataclass(frozen=True)
class PostgresTables(DeepTables):
    """`DeepTables` through a connection in a transaction."""

    connection: Connection

    def find(self, space: Space, *, lock: bool = False) -> SpaceTable | None:
        query = (
            "select id, width from deep_data.spaces where city = %(city)s and domain = %(domain)s "
            "and agency = %(agency)s and layer = %(layer)s and version = %(version)s"
        )
        query += " for update" if lock else ""
        found = self.connection.exec_driver_sql(query, vars(space)).fetchone()
        return None if found is None else SpaceTable(int(found[0]), int(found[1]))

    def ensure_table(self, space: Space, width: int, days: int | None) -> SpaceTable:
        values = ", ".join(f"%({name})s" for name in (*_NAMES.split(", "), "width", "days"))
        made = self.connection.exec_driver_sql(
            f"insert into deep_data.spaces ({_NAMES}, width, days) values ({values}) "
            "on conflict do nothing returning id",
            {**vars(space), "width": width, "days": days},
        ).scalar()
        if made is None:
            table = self.find(space, lock=True) or SpaceTable(0, width)
            check_space_settings(space, width, None, held=table.width)
            return table
        self.connection.exec_driver_sql(
            f"create table deep_data.space_{made} (cell integer not null, time bigint not null, "
            f"vector vector({width}) not null, revision bigint not null default 0, "
            "known boolean not null default true, primary key (cell, time)) "
            "partition by range (time)"
        )
        return SpaceTable(int(made), width)

    def list_spaces(self) -> tuple[SpaceInfo, ...]:
        order = ", ".join(f'{name} collate "C"' for name in _NAMES.split(", "))
        query = f"select {_NAMES}, width, days from deep_data.spaces order by {order}"
        found = self.connection.exec_driver_sql(query)
        return tuple(SpaceInfo(Space(*row[:5]), row[5], row[6]) for row in found)

    def set_retention(self, table: SpaceTable, days: int | None) -> None:
        change = "update deep_data.spaces set days = %(days)s where id = %(table)s"
        self.connection.exec_driver_sql(change, {"days": days, "table": table.number})

    def expire(self, now: int) -> tuple[ExpiredRows, ...]:
        """Delete rows older than their space keeps them, whole days at once; what, by space."""
        kept = self.connection.exec_driver_sql(
            "select id, days, city, domain, agency, layer, version from deep_data.spaces "
            "where days is not null order by id for update"
        ).fetchall()
        found = []
        for number, days, *names in kept:
            before_s = now - days * DAY
            rows, first_s, last_s = by_day.expire(self.connection, number, before_s)
            if rows:
                found.append(ExpiredRows(Space(*names), days, before_s, rows, first_s, last_s))
        return tuple(found)

    def ids(self, table: SpaceTable, cell_R: Texts) -> Ids:
        cells, code_R = coded(cell_R)
        self.connection.exec_driver_sql(
            "insert into deep_data.cells select %(table)s, last + place, name from "
            "(select coalesce(max(id), 0) as last from deep_data.cells where space = %(table)s) l, "
            "unnest(%(cells)s::text[]) with ordinality as c (name, place) "
            "where name not in (select name from deep_data.cells where space = %(table)s)",
            {"table": table.number, "cells": cells.tolist()},
        )
        known = {name: number for number, name in self.names(table, cells.tolist()).items()}
        return np.array([known[name] for name in cells.tolist()], np.int32)[code_R]

    def names(self, table: SpaceTable, cells: Sequence[str] | None) -> Names:
        query = "select id, name from deep_data.cells where space = %(table)s"
        query += "" if cells is None else " and name = any(%(cells)s::text[])"
        values = {"table": table.number, "cells": [str(cell) for cell in cells or ()]}
        found = self.connection.exec_driver_sql(query, values)
        return {int(row[0]): str(row[1]) for row in found}

    def stored(self, table: SpaceTable, batch: DeepData, id_R: Ids, unique_U: Ints) -> StoredRows:
        if not unique_U.size:
            return StoredRows.nothing(table.width)
        name = f"deep_data.space_{table.number}"
        span = f"time between {int(batch.time_R[0])} and {int(batch.time_R[-1])}"
        begun = f"select exists (select from {name} where {span})"
        if not self.connection.exec_driver_sql(begun).scalar():
            return StoredRows.nothing(table.width)
        found = self._fetch(
            table,
            "select k.row, d.time, d.revision, d.known, d.vector "
            "from unnest(%(row)s::int[], %(cell)s::int[], %(time)s::bigint[]) "
            f"as k (row, cell, time) join (select * from {name} where {span}) d "
            "using (cell, time)",
            {
                "row": unique_U.tolist(),
                "cell": id_R[unique_U].tolist(),
                "time": batch.time_R[unique_U].tolist(),
            },
        )
        row_F = found.id_N.astype(np.int64)
        return StoredRows(row_F, found.vectors_NW, found.revision_N, found.known_N)

    def write(self, table: SpaceTable, batch: DeepData, id_R: Ids, plan: UpsertPlan) -> None:
        remove_N, insert_N = plan.remove_N, plan.insert_N
        name = f"deep_data.space_{table.number}"
        if remove_N.size:
            self.connection.exec_driver_sql(
                f"delete from {name} where (cell, time) in "
                "(select * from unnest(%(cell)s::int[], %(time)s::bigint[]))",
                {"cell": id_R[remove_N].tolist(), "time": batch.time_R[remove_N].tolist()},
            )
        if not insert_N.size:
            return
        time_N = batch.time_R[insert_N]
        by_day.make_days(self.connection, table.number, np.unique(time_N // DAY).tolist())
        revision_N = np.full(len(insert_N), plan.revision)
        known_N, vectors_NW = batch.all_known_R[insert_N], batch.vectors_RW[insert_N]
        rows = RowColumns(id_R[insert_N], time_N, revision_N, known_N, vectors_NW)
        driver: Any = self.connection.connection.driver_connection
        send_rows(driver, name, rows)

    def counts(self, table: SpaceTable, read_query: ReadQuery) -> Sequence[tuple[int, int]]:
        where, values = _where(read_query)
        query = f"select time, count(*) from deep_data.space_{table.number} where {where}"
        found = self.connection.exec_driver_sql(f"{query} group by time order by time", values)
        return [(int(time), int(rows)) for time, rows in found]

    def rows(self, table: SpaceTable, read_query: ReadQuery) -> Part:
        where, values = _where(read_query)
        query = (
            "select cell, time, revision, known, vector "
            f"from deep_data.space_{table.number} where {where}"
        )
        return self._fetch(table, query, values).part

    def newest(self, table: SpaceTable, ids: Sequence[int], at: int) -> Part:
        query = (
            "select n.* from unnest(%(ids)s::int[]) as c (id) cross join lateral "
            "(select cell, time, revision, known, vector "
            f"from deep_data.space_{table.number} where cell = c.id and time <= %(at)s and known "
            "order by time desc limit 1) as n"
        )
        return self._fetch(table, query, {"ids": list(ids), "at": at}).part

    def nearest(self, space: Space, table: SpaceTable, search: NearestQuery) -> Neighbours:
        """The nearest rows; where not exact, by L2 through the indices of closed days."""
        for setting in _search_settings(search):
            self.connection.exec_driver_sql(f"set local {setting}")
        values = {
            "vector": str(search.vector_W.tolist()),
            "since": search.since,
            "until": search.until,
        }
        found = self.connection.exec_driver_sql(_nearest_rows(table, search), values).fetchall()
        names, times, vectors, distances = zip(*found, strict=True) if found else ((), (), (), ())
        return Neighbours(
            space,
            np.array(times, np.int64),
            np.array(names, np.str_),
            np.array(vectors, np.float32).reshape(-1, table.width),
            np.array(distances, np.float64),
        )

    def _fetch(self, table: SpaceTable, query: str, values: dict[str, Any]) -> RowColumns:
        driver: Any = self.connection.connection.driver_connection
        return fetch_rows(driver, query, values, table.width)


def _where(read_query: ReadQuery) -> tuple[str, dict[str, Any]]:
    """A condition, and the values in it."""
    where = "known and time >= %(since)s and time < %(until)s"
    where += "" if read_query.ids is None else " and cell = any(%(ids)s::int[])"
    values = {
        "since": read_query.since,
        "until": read_query.until,
        "ids": list(read_query.ids or ()),
    }
    return where, values


def _nearest_rows(table: SpaceTable, search: NearestQuery) -> str:
    """The query for (name, time, vector, distance) of the k rows nearest to a vector.

    The index gives rows by distance and nothing else, so where it is used, names come later
    and it is left open which of several equally near rows are the last.
    """
    names = f"join deep_data.cells as c on c.space = {table.number} and c.id = cell"
    order = 'distance, time, name collate "C"'
    nearest = (
        f"select {{what}}, time, vector, {_DISTANCES[search.by]} as distance "
        f"from deep_data.space_{table.number} {{where}} "
        "known and time >= %(since)s and time < %(until)s"
    )
    if search.exact:
        inner = nearest.format(what="name", where=f"{names} where") + f" order by {order}"
        outer = ""
    else:
        inner = nearest.format(what="cell", where="where") + " order by distance"
        outer = f" {names}"
    # limited before it is turned into numbers: else that would be done for every row
    limited = f"({inner} limit {int(search.k)}) as n{outer}"
    return f"select name, time, vector::real[], distance from {limited} order by {order}"


def _search_settings(search: NearestQuery) -> tuple[str, ...]:
    if search.exact:
        # one sequential scan; without statistics the planner would fetch rows by cell
        return tuple(f"enable_{way} = off" for way in ("indexscan", "bitmapscan", "nestloop"))
    # ten times as many candidates as wanted, continued until there are k
    return (f"hnsw.ef_search = {min(10 * search.k, 1000)}", "hnsw.iterative_scan = strict_order")
