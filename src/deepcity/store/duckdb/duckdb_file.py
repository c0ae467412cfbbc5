"""A DuckDB file: one process at a time may hold it; inside it, any number of threads."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import TypeVar

import duckdb

from deepcity.city.errors import StorageKeyError, StoreError, StoreFullError
from deepcity.store.duckdb.connection import connect

# One writer per file within this process.
_WRITERS: defaultdict[Path, RLock] = defaultdict(RLock)
_Result = TypeVar("_Result")
_PATIENCE_S = 10.0  # for readers that have begun


class DuckDBFile:
    """A file with some tables.

    Args:
        path: it is made with its folder if it is not there.
        schema: statements that make the tables which are not there.

    Raises:
        StoreError: if the file cannot be opened, e.g. because another process holds it, or its
            storage key is not there.
    """

    def __init__(self, path: Path, schema: str) -> None:
        self._path = path.resolve()
        self._writer, self._closing = _WRITERS[self._path], False
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._database, self._attached = connect(self._path)
            with self._writer, self._cursor() as cursor:
                cursor.execute(schema)
        except (duckdb.Error, OSError) as error:
            raise _refusal(self._path, error) from error
        except StorageKeyError as error:
            raise StoreError(str(error)) from error

    def read(self, work: Callable[[duckdb.DuckDBPyConnection], _Result]) -> _Result:
        """Run a function that only reads, on a snapshot of the tables."""
        with self._transaction() as cursor:
            return work(cursor)

    def write(self, work: Callable[[duckdb.DuckDBPyConnection], _Result]) -> _Result:
        """Run a function that writes: all of it or nothing."""
        with self._writer, self._transaction() as cursor:
            return work(cursor)

    def checkpoint(self) -> None:
        """Free space now, unless there are readers."""
        with suppress(duckdb.Error), self._cursor() as cursor:
            cursor.execute("checkpoint")

    def close(self) -> None:
        """Close the file, once those who read it have ended; nobody begins any more."""
        self._closing = True
        patience = time.monotonic() + _PATIENCE_S
        while True:
            try:
                self._database.close()
            except duckdb.Error:  # it refuses instead of waiting while another thread reads
                if time.monotonic() > patience:
                    raise
                time.sleep(0.01)
            else:
                return

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._database.cursor() as cursor:
            if self._attached:
                cursor.execute(f"use {self._attached}")
            yield cursor

    @contextmanager
    def _transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        if self._closing:
            raise _refusal(self._path, duckdb.ConnectionException("it is closed"))
        try:
            with self._cursor() as cursor:
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
    return (StoreFullError if full else StoreError)(error_text(path, error))


def error_text(path: Path, error: Exception) -> str:
    """Why a file cannot be used, and the next step."""
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
