"""Deep data in one DuckDB file: the embedded default, without a server.

One process at a time may hold the file; inside it, any number of threads.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock

import duckdb

from deepcity.city.errors import StoreError, StoreFullError
from deepcity.store.deep_data.database import DeepTables, Result
from deepcity.store.deep_data.store import DeepDataStore, MayRead
from deepcity.store.duckdb.duckdb_tables import SCHEMA, DuckDBTables

# One writer per file within this process.
_WRITERS: defaultdict[Path, RLock] = defaultdict(RLock)


class DuckDBStore(DeepDataStore):
    """Deep data in one file.

    Args:
        path: the file; it is made with its folder if it is not there.

    Raises:
        StoreError: if the file cannot be opened, e.g. because another process holds it.
    """

    def __init__(self, path: Path, may_read: MayRead) -> None:
        self._file = DuckDBFile(path.resolve())
        super().__init__(self._file, may_read)

    def expire(self, now: int) -> int:
        """Delete rows older than their space keeps them; returns how many."""
        deleted = super().expire(now)
        if deleted:
            self._file.checkpoint()
        return deleted


class DuckDBFile:
    """A `Database` in one file."""

    def __init__(self, path: Path) -> None:
        self._path, self._writer = path, _WRITERS[path]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # no extension is ever downloaded
            self._database = duckdb.connect(
                str(path), config={"autoinstall_known_extensions": False}
            )
            with self._writer:
                self._database.execute(SCHEMA)
        except (duckdb.Error, OSError) as error:
            raise _refusal(path, error) from error

    def reading(self, work: Callable[[DeepTables], Result]) -> Result:
        """Run a function that only reads."""
        with self._transaction() as cursor:
            return work(DuckDBTables(cursor))

    def writing(self, work: Callable[[DeepTables], Result]) -> Result:
        """Run a function that writes: all of it or nothing."""
        with self._writer, self._transaction() as cursor:
            return work(DuckDBTables(cursor))

    def checkpoint(self) -> None:
        """Free space now, unless there are readers."""
        with suppress(duckdb.Error), self._database.cursor() as cursor:
            cursor.execute("checkpoint")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextmanager
    def _transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        try:
            with self._database.cursor() as cursor:
                cursor.begin()
                try:
                    yield cursor
                    cursor.commit()
                except BaseException:
                    with suppress(duckdb.Error):  # a commit that failed was rolled back already
                        cursor.rollback()
                    raise
        except duckdb.Error as error:
            raise _refusal(self._path, error) from error


def _refusal(path: Path, error: Exception) -> StoreError:
    full = any(sign in str(error) for sign in ("No space left", "too large"))
    return (StoreFullError if full else StoreError)(_error_text(path, error))


def _error_text(path: Path, error: Exception) -> str:
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
