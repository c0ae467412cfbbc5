"""Deep data in PostgreSQL with pgvector: for many writers and readers at once.

Every call is one transaction, done once even if the server restarts in the middle. Days are
partitions: an old one is dropped whole, and only one that is over gets a vector index.
"""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

import numpy as np
from sqlalchemy import Connection

from deepcity.store import postgres_days as by_day
from deepcity.store import postgres_tables as tables
from deepcity.store.arrivals import Ids, own_rows, settle
from deepcity.store.deep_data import DeepData, Space, Texts, Vectors, in_order
from deepcity.store.deep_data_check import check_batch, check_query
from deepcity.store.deep_data_store import (
    ALWAYS,
    DAY,
    DAYS,
    Appended,
    Distance,
    MayRead,
    Neighbours,
    Shelf,
    check_reader,
    check_room,
    unknown_space,
)
from deepcity.store.postgres_server import Server


class PostgresStore:
    """A `DeepDataStore` in a database.

    Args:
        url: ``postgresql://user:password@host/database``.
        may_read: who may read which space; asked before every read.
        patience_seconds: how long to wait for a server that went away during a call.

    Raises:
        StoreError: if the database cannot be reached or has no pgvector.
    """

    def __init__(self, url: str, may_read: MayRead, *, patience_seconds: float = 60) -> None:
        self._may_read = may_read
        self._server = Server(url, patience_seconds)
        self._transact = self._server.transact
        self._transact(tables.make_schema, patient=False)

    def register(self, space: Space, width: int, days: int | None = DAYS) -> None:
        """Make room for a space."""
        check_room(space, width, days)
        self._transact(lambda connection: tables.make_room(connection, space, width, days))

    def append(
        self,
        batch: DeepData,
        *,
        now: int,
        cells: Collection[str] | None = None,
        revise: bool = False,
    ) -> Appended:
        """Store all rows of a batch, or none."""
        check_batch(batch, now, cells)

        def work(connection: Connection) -> Appended:
            table = tables.make_room(connection, batch.space, batch.width, DAYS)
            id_R = tables.ids(connection, table, batch)
            own_U = own_rows(batch.time_R, id_R)
            held = tables.stored(connection, table, batch, id_R, own_U)
            settled = settle(batch, own_U, held, revise=revise)
            tables.write(connection, table, batch, id_R, settled)
            return settled.appended

        return self._transact(work)

    def read(
        self, space: Space, cells: Sequence[str] | None, since: int, until: int, *, reader: str
    ) -> DeepData:
        """Rows of a time span."""

        def query(table: int) -> str:
            return (
                f"select cell, time, vector from deep_data.space_{table} "
                "where time >= %(since)s and time < %(until)s"
                + ("" if cells is None else " and cell = any(%(ids)s::int[])")
            )

        return self._rows(space, cells, query, {"since": int(since), "until": int(until)}, reader)

    def latest(
        self, space: Space, cells: Sequence[str] | None, at: int, *, reader: str
    ) -> DeepData:
        """The newest row of each cell at or before a time."""

        def query(table: int) -> str:
            return (
                "select n.* from unnest(%(ids)s::int[]) as c (id) cross join lateral "
                f"(select cell, time, vector from deep_data.space_{table} "
                "where cell = c.id and time <= %(at)s order by time desc limit 1) as n"
            )

        return self._rows(space, cells, query, {"at": int(at)}, reader)

    def nearest(
        self,
        space: Space,
        vector_W: Vectors,
        k: int,
        since: int | None = None,
        until: int | None = None,
        *,
        reader: str,
        by: Distance = "l2",
        exact: bool = True,
    ) -> Neighbours:
        """The k nearest rows; where not exact, by L2 through the indices of closed days."""
        check_reader(self._may_read, reader, space)

        def work(connection: Connection) -> Neighbours:
            table, width = self._find(connection, space)
            check_query(space, vector_W, k, width, by)
            for setting in _search_settings(k, exact=exact):
                connection.exec_driver_sql(f"set local {setting}")
            values = {
                "vector": str(vector_W.tolist()),
                "since": ALWAYS[0] if since is None else int(since),
                "until": ALWAYS[1] if until is None else int(until),
            }
            query = tables.nearest_rows(table, k, by, exact=exact)
            found = connection.exec_driver_sql(query, values).fetchall()
            return _neighbours(space, width, found)

        return self._transact(work)

    def retain(self, space: Space, days: int | None) -> None:
        """Set how long a space keeps its vectors."""

        def work(connection: Connection) -> None:
            table, width = self._find(connection, space)
            check_room(space, width, days)
            change = "update deep_data.spaces set days = %(days)s where id = %(table)s"
            connection.exec_driver_sql(change, {"days": days, "table": table})

        self._transact(work)

    def expire(self, now: int) -> int:
        """Delete rows older than their space keeps them; whole days at once."""

        def work(connection: Connection) -> int:
            kept = connection.exec_driver_sql(
                "select id, days from deep_data.spaces where days is not null "
                "order by id for update"
            ).fetchall()
            return sum(
                by_day.expire(connection, table, int(now) - days * DAY) for table, days in kept
            )

        return self._transact(work)

    def index_closed(self, now: int) -> int:
        """Build the vector index of each day that is over and has none; how many it were."""
        closed = (int(now) - by_day.CLOSED_AFTER_SECONDS) // DAY
        waiting = self._transact(lambda connection: by_day.unindexed(connection, before=closed))
        for name in waiting:  # a transaction each: nobody waits for all of them
            self._transact(partial(by_day.index, name=name))
        return len(waiting)

    def spaces(self) -> tuple[Shelf, ...]:
        """What the store holds."""
        return self._transact(tables.shelves)

    def close(self) -> None:
        """Let go of the database."""
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _rows(
        self,
        space: Space,
        cells: Sequence[str] | None,
        query: Callable[[int], str],
        values: dict[str, Any],
        reader: str,
    ) -> DeepData:
        check_reader(self._may_read, reader, space)

        def work(connection: Connection) -> DeepData:
            table, width = self._find(connection, space)
            names = tables.names(connection, table, cells)
            asked = {**values, "ids": list(names)}
            id_R, time_R, vectors_RW = tables.rows(connection, query(table), asked, width)
            return in_order(space, time_R, _named(id_R, names), vectors_RW)

        return self._transact(work)

    def _find(self, connection: Connection, space: Space) -> tuple[int, int]:
        """Number of a space's table, and its width."""
        found = tables.find(connection, space)
        if found is None:
            raise unknown_space(space, tables.shelves(connection))
        return found


def _named(id_R: Ids, names: tables.Names) -> Texts:
    return np.array([names[number] for number in id_R.tolist()], np.str_)


def _neighbours(space: Space, width: int, found: Sequence[Any]) -> Neighbours:
    """Rows of (name, time, vector, distance), nearest first."""
    names, times, vectors, distances = zip(*found, strict=True) if found else ((), (), (), ())
    return Neighbours(
        space,
        np.array(times, np.int64),
        np.array(names, np.str_),
        np.array(vectors, np.float32).reshape(-1, width),
        np.array(distances, np.float64),
    )


def _search_settings(k: int, *, exact: bool) -> tuple[str, ...]:
    if exact:
        # every row once, in its place; a planner that knows too little would fetch them by cell
        return tuple(f"enable_{way} = off" for way in ("indexscan", "bitmapscan", "nestloop"))
    # ten times as many candidates as wanted, and on until there are k
    return (f"hnsw.ef_search = {min(10 * k, 1000)}", "hnsw.iterative_scan = strict_order")
