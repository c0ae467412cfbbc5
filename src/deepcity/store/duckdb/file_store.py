"""Deep data in one DuckDB file: the embedded default, without a server.

One process at a time may hold the file; inside it, any number of threads.
"""

from collections.abc import Callable
from pathlib import Path

from deepcity.store.deep_data.database import DeepTables, Result
from deepcity.store.deep_data.store import DeepDataStore, MayRead, RecordExpired
from deepcity.store.duckdb.duckdb_file import DuckDBFile
from deepcity.store.duckdb.duckdb_tables import SCHEMA, DuckDBTables


class DuckDBStore(DeepDataStore):
    """Deep data in one file.

    Args:
        path: the file; it is made with its folder if it is not there.

    Raises:
        StoreError: if the file cannot be opened, e.g. because another process holds it.
    """

    def __init__(self, path: Path, may_read: MayRead) -> None:
        self._file = _DeepDataFile(path, SCHEMA)
        super().__init__(self._file, may_read)

    def expire(self, now: int, record: RecordExpired | None = None) -> int:
        """Delete rows older than their space keeps them; returns how many."""
        deleted = super().expire(now, record)
        if deleted:
            self._file.checkpoint()
        return deleted


class _DeepDataFile(DuckDBFile):
    """A `Database` in one file."""

    def reading(self, work: Callable[[DeepTables], Result]) -> Result:
        """Run a function that only reads."""
        return self.read(lambda cursor: work(DuckDBTables(cursor)))

    def writing(self, work: Callable[[DeepTables], Result]) -> Result:
        """Run a function that writes: all of it or nothing."""
        return self.write(lambda cursor: work(DuckDBTables(cursor)))
