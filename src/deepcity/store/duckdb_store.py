"""Deep data in one DuckDB file: the embedded default, without a server.

A table a space, so that widths are fixed and versions cannot mix. Rows stand by time and
then by cell, as they come in. By cell first, a cell's day would be read quicker, but all
cells of an hour slower, and to keep that order the file would have to be written again and
again (benchmarks, `deep-data-store`, has both).

One process at a time may hold the file; inside it, any number of threads. Shapes as in
`deep_data`; U rows with a cell and time of their own, N rows to write.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Self

import duckdb
import numpy as np

from deepcity.city.errors import StoreError, StoreFullError
from deepcity.store import duckdb_tables as tables
from deepcity.store.arrivals import own_rows, settle
from deepcity.store.deep_data import DeepData, Space, Vectors, in_order
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

# Who writes to a file waits for whoever else of this process writes to it.
_WRITERS: defaultdict[Path, RLock] = defaultdict(RLock)


class DuckDBStore:
    """A `DeepDataStore` in one file.

    Args:
        path: the file; it is made with its folder if it is not there.
        may_read: who may read which space; asked before every read.

    Raises:
        StoreError: if the file cannot be opened, e.g. because another process holds it.
    """

    def __init__(self, path: Path, may_read: MayRead) -> None:
        self._path = path.resolve()
        self._may_read = may_read
        self._writer = _WRITERS[self._path]
        self._database = _open(self._path)

    def register(self, space: Space, width: int, days: int | None = DAYS) -> None:
        """Make room for a space."""
        check_room(space, width, days)
        with self._writing() as cursor:
            tables.make_room(cursor, space, width, days)

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
        with self._writing() as cursor:
            table = tables.make_room(cursor, batch.space, batch.width, DAYS)
            id_R = tables.ids(cursor, table, batch)
            own_U = own_rows(batch.time_R, id_R)
            held = tables.stored(cursor, table, batch, id_R, own_U)
            settled = settle(batch, own_U, held, revise=revise)
            tables.write(cursor, table, batch, id_R, settled)
        return settled.appended

    def read(
        self, space: Space, cells: Sequence[str] | None, since: int, until: int, *, reader: str
    ) -> DeepData:
        """Rows of a time span."""
        with self._reading(space, reader) as (cursor, table, width):
            span = "time >= $since and time < $until"
            query = tables.rows_where(table, span + tables.among(table, cells))
            values = {"since": int(since), "until": int(until)} | tables.named(cells)
            return in_order(
                space, *tables.arrays(cursor.execute(query, values).fetchnumpy(), width)
            )

    def latest(
        self, space: Space, cells: Sequence[str] | None, at: int, *, reader: str
    ) -> DeepData:
        """The newest row of each cell at or before a time."""
        with self._reading(space, reader) as (cursor, table, width):
            before = f"from deep_{table} where time <= $at{tables.among(table, cells)}"
            newest = f"(cell, time) in (select cell, max(time) {before} group by cell)"
            values = {"at": int(at)} | tables.named(cells)
            columns = cursor.execute(tables.rows_where(table, newest), values).fetchnumpy()
            return in_order(space, *tables.arrays(columns, width))

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
        """The k nearest rows, by looking at every one."""
        with self._reading(space, reader) as (cursor, table, width):
            check_query(space, vector_W, k, width, by)
            values = {
                "vector": vector_W.tolist(),
                "since": ALWAYS[0] if since is None else int(since),
                "until": ALWAYS[1] if until is None else int(until),
            }
            columns = cursor.execute(tables.nearest_rows(table, width, k, by), values).fetchnumpy()
        distance_K = np.asarray(columns["distance"], np.float64)
        return Neighbours(space, *tables.arrays(columns, width), distance_K)

    def retain(self, space: Space, days: int | None) -> None:
        """Set how long a space keeps its vectors."""
        with self._writing() as cursor:
            table, width = self._find(cursor, space)
            check_room(space, width, days)
            cursor.execute("update spaces set days = ? where id = ?", [days, table])

    def expire(self, now: int) -> int:
        """Delete rows older than their space keeps them."""
        deleted = 0
        with self._writing() as cursor:
            kept = cursor.execute("select id, days from spaces where days is not null").fetchall()
            for table, days in kept:
                old = f"delete from deep_{table} where time < {int(now) - days * DAY}"
                deleted += tables.one(cursor.execute(old))
        with suppress(duckdb.Error), self._database.cursor() as cursor:
            cursor.execute("checkpoint")  # frees the room now, unless somebody reads
        return deleted

    def spaces(self) -> tuple[Shelf, ...]:
        """What the store holds."""
        with self._cursor() as cursor:
            return tables.shelves(cursor)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        try:
            with self._database.cursor() as cursor:
                yield cursor
        except duckdb.Error as error:
            raise _refusal(self._path, error) from error

    @contextmanager
    def _writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A transaction: all of it or nothing."""
        with self._writer, self._cursor() as cursor:
            cursor.begin()
            try:
                yield cursor
                cursor.commit()
            except BaseException:
                with suppress(duckdb.Error):  # a commit that failed was rolled back already
                    cursor.rollback()
                raise

    @contextmanager
    def _reading(
        self, space: Space, reader: str
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, int, int]]:
        check_reader(self._may_read, reader, space)
        with self._cursor() as cursor:
            yield cursor, *self._find(cursor, space)

    def _find(self, cursor: duckdb.DuckDBPyConnection, space: Space) -> tuple[int, int]:
        """Number of a space's table, and its width."""
        found = tables.find(cursor, space)
        if found is None:
            raise unknown_space(space, tables.shelves(cursor))
        return found


def _open(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # nothing is ever fetched from elsewhere
        database = duckdb.connect(str(path), config={"autoinstall_known_extensions": False})
        database.execute(tables.SCHEMA)
    except (duckdb.Error, OSError) as error:
        raise _refusal(path, error) from error
    return database


def _refusal(path: Path, error: Exception) -> StoreError:
    full = any(sign in str(error) for sign in ("No space left", "too large"))
    return (StoreFullError if full else StoreError)(_told(path, error))


def _told(path: Path, error: Exception) -> str:
    reason = str(error).partition(". See also")[0]
    steps = {
        "lock": "close the store there, or use PostgreSQL, which many processes may share",
        "No space left": "nothing of it was stored; free some space, then send it again",
        "too large": "nothing of it was stored; let files grow larger, then send it again",
        "not a valid DuckDB": "choose another path, or move that file away",
        "closed": "open the store again",
    }
    found = (step for sign, step in steps.items() if sign in reason)
    return f"{path}: {reason}. Next: {next(found, 'see that the file can be read and written')}"
