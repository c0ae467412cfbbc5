"""The tables of deep data in a DuckDB file, and their queries.

    spaces      a row a space
    cells       a row a cell of a space
    deep_1 ...  a table a space, by its number: cell, time, vector, revision, known

One table per space, so that widths are fixed and versions cannot mix. Rows are ordered by
time and then by cell, as they arrive. By cell first, a cell's day would be read faster, but all
cells of an hour slower, and keeping that order would need rewriting the file again and
again (benchmarks, `deep-data-store`, has both).

Rows are found by lists of cells and times, `= any(...)`, and compared with NumPy: each hash
join would leave about 4 kB in the database's memory, which a server that runs for weeks sees.

Shapes as in `deep_data`; U rows with a cell and time of their own, N rows to write.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Floats, Ints, Texts
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

CHUNK_ROWS = 65_536
"""Rows inserted at a time; memory holds one copy of them by column."""
LOOKED_UP = 262_144
"""Cells by times that are looked up at a time."""
LOOK_BACK_S = (DAY, 30 * DAY)
"""How far `newest` looks back first, and next; then at all rows."""

SCHEMA = """
create table if not exists spaces (
    id integer primary key, city text, domain text, agency text, layer text, version text,
    width integer, days integer);
create table if not exists cells (space integer, id integer, name text);
"""
"""The tables that all spaces share."""

_IS_SPACE = "city = ? and domain = ? and agency = ? and layer = ? and version = ?"
_DISTANCES = {
    "l2": "array_distance(vector, $vector::float[{width}])",
    # a vector of zeros has no angle: its distance is set to 1
    "cosine": "coalesce(nullif(array_cosine_distance(vector, $vector::float[{width}]), 'nan'), 1)",
}


@dataclass(frozen=True)
class DuckDBTables(DeepTables):
    """`DeepTables` through a cursor in a transaction."""

    cursor: duckdb.DuckDBPyConnection

    def find(self, space: Space) -> SpaceTable | None:
        query = f"select id, width from spaces where {_IS_SPACE}"
        found = self.cursor.execute(query, _texts(space)).fetchone()
        return None if found is None else SpaceTable(int(found[0]), int(found[1]))

    def ensure_table(self, space: Space, width: int, days: int | None) -> SpaceTable:
        found = self.find(space)
        if found is not None:
            check_space_settings(space, width, None, held=found.width)
            return found
        number = _one(self.cursor.execute("select coalesce(max(id), 0) + 1 from spaces"))
        row = [number, *_texts(space), width, days]
        self.cursor.execute("insert into spaces values (?, ?, ?, ?, ?, ?, ?, ?)", row)
        self.cursor.execute(
            f"create table deep_{number} (cell integer, time bigint, vector float[{width}], "
            "revision bigint default 0, known boolean default true)"
        )
        return SpaceTable(number, width)

    def list_spaces(self) -> tuple[SpaceInfo, ...]:
        query = "from spaces order by city, domain, agency, layer, version"
        rows = self.cursor.execute(query).fetchall()
        return tuple(SpaceInfo(Space(*row[1:6]), row[6], row[7]) for row in rows)

    def set_retention(self, table: SpaceTable, days: int | None) -> None:
        self.cursor.execute("update spaces set days = ? where id = ?", [days, table.number])

    def expire(self, now: int) -> tuple[ExpiredRows, ...]:
        query = "from spaces where days is not null order by id"
        found = []
        for number, *names, _width, days in self.cursor.execute(query).fetchall():
            before_s = now - days * DAY
            old = f"from deep_{number} where time < {before_s}"
            counted = f"select count(*), min(time), max(time) {old}"
            rows, first_s, last_s = self.cursor.execute(counted).fetchall()[0]
            if rows:
                self.cursor.execute(f"delete {old}")
                found.append(ExpiredRows(Space(*names), days, before_s, rows, first_s, last_s))
        return tuple(found)

    def ids(self, table: SpaceTable, cell_R: Texts) -> Ids:
        names, code_R = coded(cell_R)
        known = {name: number for number, name in self.names(table, None).items()}
        fresh = [name for name in names.tolist() if name not in known]
        if fresh:
            numbers = list(range(len(known), len(known) + len(fresh)))
            self.cursor.execute(
                "insert into cells select ?, unnest(?::integer[]), unnest(?::text[])",
                [table.number, numbers, fresh],
            )
            known |= dict(zip(fresh, numbers, strict=True))
        return np.array([known[name] for name in names.tolist()], np.int32)[code_R]

    def names(self, table: SpaceTable, cells: Sequence[str] | None) -> Names:
        query = "select id, name from cells where space = $space"
        values: dict[str, Any] = {"space": table.number}
        if cells is not None:
            query += " and name = any($cells::text[])"
            values["cells"] = [str(cell) for cell in cells]
        return dict(self.cursor.execute(query, values).fetchall())

    def stored(self, table: SpaceTable, batch: DeepData, id_R: Ids, unique_U: Ints) -> StoredRows:
        if not unique_U.size:
            return StoredRows.nothing(table.width)
        time_U, id_U = batch.time_R[unique_U], id_R[unique_U]
        found = [
            self._stored_part(table, time_U[part], id_U[part], unique_U[part])
            for part in _lookups(time_U, id_U)
        ]
        return StoredRows(
            np.concatenate([one.row_F for one in found]),
            np.concatenate([one.vectors_FW for one in found]),
            np.concatenate([one.revision_F for one in found]),
            np.concatenate([one.known_F for one in found]),
        )

    def _stored_part(
        self, table: SpaceTable, time_U: Ints, id_U: Ids, unique_U: Ints
    ) -> StoredRows:
        """Read all rows of these cells at these times, and keep those of the pairs asked for."""
        times, cells = np.unique(time_U), np.unique(id_U)
        columns = self.cursor.execute(
            f"select cell, time, vector, revision, known from deep_{table.number} "
            f"where time between {times[0]} and {times[-1]} and time = any($times::bigint[]) "
            "and cell = any($cells::integer[])",
            {"times": times, "cells": cells},
        ).fetchnumpy()

        def place(time: Ints, cell: Ids) -> Ints:
            numbers: Ints = np.searchsorted(times, time) * len(cells) + np.searchsorted(cells, cell)
            return numbers

        asked_U, read_F = place(time_U, id_U), place(columns["time"], columns["cell"])
        row_F = np.minimum(np.searchsorted(asked_U, read_F), len(asked_U) - 1)
        is_asked_F = asked_U[row_F] == read_F
        return StoredRows(
            unique_U[row_F[is_asked_F]],
            _stacked(columns["vector"][is_asked_F], table.width),
            np.asarray(columns["revision"][is_asked_F], np.int64),
            np.asarray(columns["known"][is_asked_F], bool),
        )

    def write(self, table: SpaceTable, batch: DeepData, id_R: Ids, plan: UpsertPlan) -> None:
        remove_N, insert_N = plan.remove_N, plan.insert_N
        if remove_N.size:
            removed = {"cell": id_R[remove_N], "time": batch.time_R[remove_N]}
            self.cursor.register("removed", removed)
            self.cursor.execute(
                f"delete from deep_{table.number} where (cell, time) in (from removed)"
            )
            self.cursor.unregister("removed")
        numbers = [f"n{place}" for place in range(table.width)]
        vector = f"array_value({', '.join(numbers)})"
        for start in range(0, len(insert_N), CHUNK_ROWS):
            part_N = insert_N[start : start + CHUNK_ROWS]
            columns_WN = np.ascontiguousarray(batch.vectors_RW[part_N].T)
            rows = {
                "cell": id_R[part_N],
                "time": batch.time_R[part_N],
                "known": batch.all_known_R[part_N],
            }
            self.cursor.register("rows", rows | dict(zip(numbers, columns_WN, strict=True)))
            self.cursor.execute(
                f"insert into deep_{table.number} (cell, time, vector, revision, known) "
                f"select cell, time, {vector}, {plan.revision}, known from rows"
            )
            self.cursor.unregister("rows")

    def counts(self, table: SpaceTable, read_query: ReadQuery) -> Sequence[tuple[int, int]]:
        where, values = _where(read_query)
        query = f"select time, count(*) from deep_{table.number} where {where}"
        return self.cursor.execute(f"{query} group by time order by time", values).fetchall()

    def rows(self, table: SpaceTable, read_query: ReadQuery) -> Part:
        where, values = _where(read_query)
        return self._part(table, "cell, time, vector", where, values)

    def newest(self, table: SpaceTable, ids: Sequence[int], at: int) -> Part:
        missing, until, parts = list(ids), at + 1, []
        for since in (*(at + 1 - back_s for back_s in LOOK_BACK_S), 0):
            if not missing:
                break
            where, values = _where(ReadQuery(missing, since, until))
            columns = "cell, max(time) as time, arg_max(vector, time) as vector"
            parts.append(self._part(table, columns, f"{where} group by cell", values))
            found = set(parts[-1][0].tolist())
            missing, until = [cell for cell in missing if cell not in found], since
        return _joined(parts, table.width)

    def nearest(self, space: Space, table: SpaceTable, search: NearestQuery) -> Neighbours:
        """The nearest rows, by a full scan."""
        distance = _DISTANCES[search.by].format(width=table.width)
        values = {"vector": search.vector_W.tolist(), "since": search.since, "until": search.until}
        columns = self.cursor.execute(
            f"select name, time, vector, {distance} as distance from deep_{table.number} "
            f"join cells on space = {table.number} and id = cell "
            "where known and time >= $since and time < $until "
            f"order by distance, time, name limit {int(search.k)}",
            values,
        ).fetchnumpy()
        return Neighbours(
            space,
            np.asarray(columns["time"], np.int64),
            np.array(columns["name"], np.str_),
            _stacked(columns["vector"], table.width),
            np.asarray(columns["distance"], np.float64),
        )

    def _part(self, table: SpaceTable, columns: str, where: str, values: dict[str, Any]) -> Part:
        query = f"select {columns} from deep_{table.number} where {where}"
        read = self.cursor.execute(query, values).fetchnumpy()
        vectors_RW = _stacked(read["vector"], table.width)
        return np.asarray(read["cell"], np.int32), np.asarray(read["time"]), vectors_RW


def _lookups(time_U: Ints, id_U: Ids) -> list[slice]:
    """Runs of rows, by time, of which none asks for too many cells by times."""
    most = max(1, LOOKED_UP // (int(id_U.max()) - int(id_U.min()) + 1))
    start_T = np.flatnonzero(np.diff(time_U, prepend=time_U[0] - 1))
    edges = [*start_T[::most].tolist(), len(time_U)]
    return [slice(*edge) for edge in itertools.pairwise(edges)]


def _where(read_query: ReadQuery) -> tuple[str, dict[str, Any]]:
    """A condition, and the values in it."""
    where = "known and time >= $since and time < $until"
    values: dict[str, Any] = {"since": read_query.since, "until": read_query.until}
    if read_query.ids is not None:
        where += " and cell = any($ids::integer[])"
        values["ids"] = list(read_query.ids)
    return where, values


def _joined(parts: Sequence[Part], width: int) -> Part:
    """Rows of several reads as one."""
    if not parts:
        return np.empty(0, np.int32), np.empty(0, np.int64), np.empty((0, width), np.float32)
    cells, times, vectors = zip(*parts, strict=True)
    return np.concatenate(cells), np.concatenate(times), np.concatenate(vectors)


def _stacked(vectors: Sequence[Any] | NDArray[Any], width: int) -> Floats:
    """A column of vectors -> one array; np.stack fails where there are no rows."""
    empty = np.empty((0, width), np.float32)
    return np.stack(list(vectors)).astype(np.float32, copy=False) if len(vectors) else empty


def _texts(space: Space) -> list[str]:
    return [space.city, space.domain, space.agency, space.layer, space.version]


def _one(cursor: duckdb.DuckDBPyConnection) -> int:
    """The number that a query gives."""
    row = cursor.fetchone()
    return 0 if row is None else int(row[0])
