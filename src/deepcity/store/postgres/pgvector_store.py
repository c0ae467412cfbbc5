"""Deep data in PostgreSQL with pgvector: for many writers and readers at once.

Every call is one transaction, done once even if the server restarts meanwhile. Days are
partitions: an old one is dropped whole, and only one that is over gets a vector index.
"""

from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection

from deepcity.store.deep_data.database import DAY, DeepTables, Result
from deepcity.store.deep_data.store import DeepDataStore, MayRead, RecordExpired
from deepcity.store.postgres import partitions as by_day
from deepcity.store.postgres.postgres_tables import PostgresTables, make_schema
from deepcity.store.postgres.server import PostgresServer


class PostgresStore(DeepDataStore):
    """Deep data in a database.

    Args:
        url: ``postgresql://user:password@host/database``.
        patience_seconds: how long to wait for a server that went away during a call.

    Raises:
        StoreError: if the database cannot be reached or has no pgvector.
    """

    def __init__(self, url: str, may_read: MayRead, *, patience_seconds: float = 60) -> None:
        self._server = PostgresDatabase(url, patience_seconds)
        self._server.transact(make_schema, patient=False)
        super().__init__(self._server, may_read)

    def index_closed(self, now: int) -> int:
        """Build the vector index of each closed day without one; returns how many."""
        closed = (int(now) - by_day.CLOSED_AFTER_SECONDS) // DAY
        transact = self._server.transact
        waiting = transact(lambda connection: by_day.unindexed(connection, before=closed))
        for name in waiting:  # one transaction each, so that locks are short
            transact(partial(by_day.index, name=name))
        return len(waiting)

    def tend(self, now: int, record: RecordExpired | None = None) -> int:
        """Delete rows that are too old and index closed days; returns how many were deleted."""
        deleted = super().tend(now, record)
        self.index_closed(now)
        return deleted


class PostgresDatabase(PostgresServer):
    """A `Database` on a server."""

    def reading(self, work: Callable[[DeepTables], Result]) -> Result:
        """Run a function that only reads, on a snapshot of the tables."""

        def at_one_moment(connection: Connection) -> Result:
            connection.exec_driver_sql("set transaction isolation level repeatable read, read only")
            return work(PostgresTables(connection))

        return self.transact(at_one_moment)

    def writing(self, work: Callable[[DeepTables], Result]) -> Result:
        """Run a function that writes: all of it or nothing."""
        return self.transact(lambda connection: work(PostgresTables(connection)))
