"""Deep data that an agency has to send, kept on disk until the receiver has confirmed it.

A parcel is stored before it is sent, together with the cursor of how far encoding came, in one
transaction; it is deleted once the receiver has confirmed it. A process that is killed at any point
sends the last parcel again, which changes nothing at the receiver (a store knows a row by
space, cell, time and revision). So rows arrive in order, effectively once. Notes that the
sender needs later, to see what a correction of its records changes, are stored in the same
transaction, so that they match the parcels.

One SQLite file, in write-ahead mode with a sync at every commit. Where the environment names a
storage key, bodies and notes are encrypted by it.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from deepcity.city.errors import OutboxFullError, StorageKeyError, StoreError
from deepcity.store.at_rest.encrypted import for_disk, from_disk
from deepcity.store.blob import BlobError

MAX_BYTES = 256_000_000
_LOCK_WAIT_S = 5.0  # for another process to let go of the file
_SCHEMA = """
create table if not exists parcels (
    id integer primary key autoincrement, topic text not null, rows integer not null,
    body blob not null, put_at real not null, revision integer not null default 0
);
create table if not exists refused (
    id integer primary key, topic text not null, rows integer not null, body blob not null,
    put_at real not null, reason text not null, revision integer not null default 0
);
create table if not exists marks (name text primary key, value integer not null);
create table if not exists notes (
    name text not null, time integer not null, value blob not null, primary key (name, time)
) without rowid;
"""
_HELD = "id, topic, rows, body, put_at, revision"
_SIZE = "(select coalesce(sum(length(body)), 0) from {})"


Notes = Mapping[str, Mapping[int, bytes]]
"""Name of a series of notes -> time -> note."""


@dataclass(frozen=True)
class Draft:
    """A parcel to be stored; attributes as there."""

    topic: str
    rows: int
    body: bytes
    revision: int = 0


@dataclass(frozen=True)
class Parcel:
    """A batch to send.

    Attributes:
        number: ascending and never reused.
        topic: its space of deep data.
        rows: how many it holds.
        body: the bytes to send.
        put_at: when it was stored, seconds since 1970.
        revision: of the records it was made from; 0: before any correction.
    """

    number: int
    topic: str
    rows: int
    body: bytes
    put_at: float
    revision: int = 0


@dataclass(frozen=True)
class Waiting:
    """The state of an outbox.

    Attributes:
        parcels, rows, bytes: not yet confirmed.
        oldest: when the first of them was stored; None: there is none.
        refused, reason: parcels that the receiver refused for good, and the last reason.
    """

    parcels: int
    rows: int
    bytes: int
    oldest: float | None
    refused: int
    reason: str | None


class Outbox:
    """A durable queue in one file; threads may share it.

    Args:
        path: the file; made with its folder.
        max_bytes: of parcels that wait or were refused; beyond it storing more is an error.

    Raises:
        StoreError: if the file cannot be opened, or another process has it open: two would
            both send its parcels.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        self.path, self.max_bytes = path, max_bytes
        self._lock = threading.RLock()
        with self._store_errors():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(
                    f"{path.parent} cannot be made: {error.strerror}. Name another folder"
                ) from error
            self._file = sqlite3.connect(
                path, timeout=_LOCK_WAIT_S, isolation_level=None, check_same_thread=False
            )
            self._file.execute("pragma locking_mode = exclusive")
            self._file.execute("pragma journal_mode = wal")
            self._file.execute("pragma synchronous = full")
            self._file.executescript(_SCHEMA)

    def put(
        self, drafts: Sequence[Draft], cursors: dict[str, int], notes: Notes | None = None
    ) -> None:
        """Store parcels, set cursors and write notes: all of it or nothing.

        Raises:
            OutboxFullError: if it would grow over its bound; nothing changed then.
            StoreError: if the file cannot be written.
        """
        with self._writing():
            held = self._one(f"select {_SIZE.format('parcels')} + {_SIZE.format('refused')}")
            more = sum(len(draft.body) for draft in drafts)
            if drafts and held + more > self.max_bytes:
                raise OutboxFullError(
                    f"{self.path} is full: {held:,} bytes wait, {self.max_bytes:,} may. "
                    "See why the application does not take them, or allow more with --max-mb; "
                    "nothing was lost: encoding goes on from here once there is room"
                )
            self._file.executemany(
                "insert into parcels (topic, rows, body, put_at, revision) values (?, ?, ?, ?, ?)",
                [
                    (one.topic, one.rows, for_disk(one.body), time.time(), one.revision)
                    for one in drafts
                ],
            )
            self._file.executemany("insert or replace into marks values (?, ?)", cursors.items())
            for name, kept in (notes or {}).items():
                rows = [(name, at, for_disk(note)) for at, note in kept.items()]
                self._file.executemany("insert or replace into notes values (?, ?, ?)", rows)

    def notes(self, name: str, since: int) -> dict[int, bytes]:
        """Notes of a time and later ones, in order of time."""
        query = "select time, value from notes where name = ? and time >= ? order by time"
        with self._store_errors():
            found = self._file.execute(query, (name, since)).fetchall()
        return {at: self._read(value) for at, value in found}

    def forget(self, name: str, before: int) -> None:
        """Delete notes of earlier times."""
        with self._writing():
            self._file.execute("delete from notes where name = ? and time < ?", (name, before))

    def cursor(self, name: str) -> int | None:
        """The value of a cursor, or None if it was never set."""
        with self._store_errors():
            found = self._file.execute("select value from marks where name = ?", (name,)).fetchone()
        return None if found is None else int(found[0])

    def first(self) -> Parcel | None:
        """The oldest parcel that waits; it is not removed."""
        with self._store_errors():
            row = self._file.execute(f"select {_HELD} from parcels order by id limit 1").fetchone()
        if row is None:
            return None
        number, topic, rows, body, *rest = row
        return Parcel(number, topic, rows, self._read(body), *rest)

    def confirm(self, number: int) -> None:
        """Delete a parcel that has arrived; twice is fine."""
        with self._writing():
            self._file.execute("delete from parcels where id = ?", (number,))

    def refuse(self, number: int, reason: str) -> None:
        """Set a parcel aside that the receiver refused for good, with the reason."""
        with self._writing():
            self._file.execute(
                f"insert or replace into refused ({_HELD}, reason) select {_HELD}, ? "
                "from parcels where id = ?",
                (reason, number),
            )
            self._file.execute("delete from parcels where id = ?", (number,))

    def retry_refused(self) -> int:
        """Put refused parcels back in their old place; returns how many."""
        with self._writing():
            count = self._one("select count(*) from refused")
            self._file.execute(f"insert into parcels ({_HELD}) select {_HELD} from refused")
            self._file.execute("delete from refused")
        return count

    def waiting(self) -> Waiting:
        """The state of the outbox."""
        query = (
            "select count(*), coalesce(sum(rows), 0), coalesce(sum(length(body)), 0), min(put_at), "
            "(select count(*) from refused), "
            "(select reason from refused order by id desc limit 1) from parcels"
        )
        with self._store_errors():
            return Waiting(*self._file.execute(query).fetchone())

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        with self._lock:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, data: bytes) -> bytes:
        try:
            return from_disk(data)
        except (StorageKeyError, BlobError) as error:
            raise StoreError(f"{self.path} holds what cannot be read: {error}") from error

    def _one(self, query: str) -> int:
        return int(self._file.execute(query).fetchone()[0])

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._store_errors():
            self._file.execute("begin immediate")
            try:
                yield
                self._file.execute("commit")
            except BaseException:
                if self._file.in_transaction:
                    self._file.execute("rollback")
                raise

    @contextmanager
    def _store_errors(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                steps = {
                    "full": "free some space; nothing was lost",
                    "locked": "stop the other process that uses it, or name another --state folder",
                    "not a database": "move that file away, or name another --state folder",
                }
                found = (step for sign, step in steps.items() if sign in str(error))
                step = next(found, "see that the file can be read and written")
                raise StoreError(f"{self.path}: {error}. Next: {step}") from error
