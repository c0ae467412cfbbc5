"""Events in one DuckDB file: the embedded default, without a server."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from deepcity.store.duckdb.duckdb_file import DuckDBFile
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

_MARKS = ", ".join("?" * len(COLUMNS.split(", ")))


class DuckDBEvents(EventStore):
    """Events in one file.

    Args:
        path: the file; it is made with its folder if it is not there.

    Raises:
        StoreError: if the file cannot be opened, e.g. because another process holds it.
    """

    def __init__(self, path: Path) -> None:
        self._file = DuckDBFile(path, SCHEMA.format(blob="blob"))

    def append(self, drafts: Sequence[EventDraft]) -> list[Event]:
        """As in the contract."""
        keys = [draft.key for draft in drafts]

        def work(cursor: duckdb.DuckDBPyConnection) -> list[Event]:
            asked = cursor.execute("select key from events where key in (select unnest(?))", [keys])
            known = {str(row[0]) for row in asked.fetchall()}
            found = numbered(drafts, known, _last(cursor))
            if found:
                rows = [to_row(event) for event in found]
                cursor.executemany(f"insert into events values ({_MARKS})", rows)
            return found

        return self._file.write(work) if keys else []

    def read(self, query: EventQuery) -> list[Event]:
        """As in the contract."""
        text, values = statement(query, "${}".format)
        return self._file.read(
            lambda cursor: [from_row(row) for row in cursor.execute(text, values).fetchall()]
        )

    def find(self, key: str) -> Event | None:
        """As in the contract."""
        text = f"select {COLUMNS} from events where key = ?"
        row = self._file.read(lambda cursor: cursor.execute(text, [key]).fetchone())
        return None if row is None else from_row(row)

    def last(self) -> int:
        """As in the contract."""
        return self._file.read(_last)

    def newest_s(self) -> int | None:
        """As in the contract."""
        text = "select max(at_s) from events"
        row = self._file.read(lambda cursor: cursor.execute(text).fetchone())
        return None if row is None or row[0] is None else int(row[0])

    def close(self) -> None:
        """As in the contract."""
        self._file.close()


def _last(cursor: duckdb.DuckDBPyConnection) -> int:
    row = cursor.execute("select coalesce(max(seq), 0) from events").fetchone()
    assert row is not None
    return int(row[0])
