"""Events in PostgreSQL: for a node that other programs look into."""

from collections.abc import Sequence

from sqlalchemy import Connection

from deepcity.store.events.event import Event, EventDraft, EventQuery
from deepcity.store.events.event_store import (
    COLUMNS,
    SCHEMA,
    EventStore,
    from_row,
    numbered,
    statement,
    to_row,
)
from deepcity.store.postgres.server import PostgresServer

_MARKS = ", ".join(["%s"] * len(COLUMNS.split(", ")))
_OF_DEEPCITY = "create schema if not exists deepcity; set local search_path to deepcity;"


class PostgresEvents(EventStore):
    """Events in a database, in the schema `deepcity`.

    Args:
        url: ``postgresql://user:password@host/database``.
        patience_seconds: how long to wait for a server that went away during a call.

    Raises:
        StoreError: if the database cannot be reached, or refuses.
    """

    def __init__(self, url: str, *, patience_seconds: float = 60) -> None:
        self._server = PostgresServer(url, patience_seconds)
        schema = _OF_DEEPCITY + SCHEMA.format(blob="bytea")
        self._server.transact(lambda connection: connection.exec_driver_sql(schema), patient=False)

    def append(self, drafts: Sequence[EventDraft]) -> list[Event]:
        """As in the contract."""
        keys = [draft.key for draft in drafts]

        def work(connection: Connection) -> list[Event]:
            # numbers are without gaps, so writers wait for one another
            connection.exec_driver_sql("lock table deepcity.events in exclusive mode")
            query = "select key from deepcity.events where key = any(%(keys)s)"
            known = {str(row[0]) for row in connection.exec_driver_sql(query, {"keys": keys})}
            found = numbered(drafts, known, _last(connection))
            if found:
                text = f"insert into deepcity.events values ({_MARKS})"
                connection.exec_driver_sql(text, [to_row(event) for event in found])
            return found

        return self._server.transact(work) if keys else []

    def read(self, query: EventQuery) -> list[Event]:
        """As in the contract."""
        text, values = statement(query, "%({})s".format, "deepcity.events")
        return self._server.transact(
            lambda connection: [from_row(row) for row in connection.exec_driver_sql(text, values)]
        )

    def find(self, key: str) -> Event | None:
        """As in the contract."""
        text = f"select {COLUMNS} from deepcity.events where key = %(key)s"
        row = self._server.transact(
            lambda connection: connection.exec_driver_sql(text, {"key": key}).first()
        )
        return None if row is None else from_row(row)

    def last(self) -> int:
        """As in the contract."""
        return self._server.transact(_last)

    def newest_s(self) -> int | None:
        """As in the contract."""
        text = "select max(at_s) from deepcity.events"
        found = self._server.transact(lambda connection: connection.exec_driver_sql(text).scalar())
        return None if found is None else int(found)

    def close(self) -> None:
        """As in the contract."""
        self._server.close()


def _last(connection: Connection) -> int:
    found = connection.exec_driver_sql("select coalesce(max(seq), 0) from deepcity.events")
    return int(found.scalar_one())
