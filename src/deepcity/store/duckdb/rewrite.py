"""Encrypts DuckDB files that are there by today's first key, or decrypts them."""

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb

from deepcity.city.errors import StorageKeyError
from deepcity.store.at_rest.storage_key import StorageKey, storage_keys
from deepcity.store.duckdb.connection import (
    ATTACHED,
    EncryptedError,
    attach,
    connect_plain,
    in_memory,
    no_key,
    quoted,
)
from deepcity.store.duckdb.duckdb_file import error_text

DATABASES = "*.duckdb"


def rewrite_databases(folder: Path, *, encrypt: bool) -> tuple[int, int]:
    """Write databases below a folder anew where need be; returns how many, and of how many.

    A kill leaves each file whole, in one form or the other, and the next call goes on.

    Raises:
        StorageKeyError: with every file that could not be read or written; the others are done.
    """
    keys = storage_keys()
    key = keys[0] if encrypt and keys else None
    done, count, problems = 0, 0, []
    for path in _databases(folder):
        count += 1
        try:
            former = _key_of(path)
            if former != key:
                _rewrite(path, former, key)
                done += 1
        except StorageKeyError as error:
            problems.append(str(error))
        except (duckdb.Error, OSError) as error:
            problems.append(error_text(path, error))
    if problems:
        raise StorageKeyError(
            f"{len(problems)} of {count} databases stay as they were: {'; '.join(problems)}"
        )
    return done, count


def _databases(folder: Path) -> Iterator[Path]:
    found = sorted(folder.rglob(DATABASES))
    return (path for path in found if path.is_file() and not path.is_symlink())


def _key_of(path: Path) -> StorageKey | None:
    """The key that opens a file; None: it is not encrypted.

    Raises:
        StorageKeyError: if none does.
    """
    try:
        connect_plain(path).close()
    except EncryptedError:
        keys = storage_keys()
        if not keys:
            raise no_key(path) from None
        with in_memory(path) as database:
            return attach(database, path, ATTACHED, keys)
    return None


def _rewrite(path: Path, former: StorageKey | None, key: StorageKey | None) -> None:
    other = path.with_name(f"{path.name}.rewritten")
    log = other.with_name(f"{other.name}.wal")
    for left in (other, log):  # by a kill
        left.unlink(missing_ok=True)
    try:
        with in_memory(path) as database:
            _attach(database, path, "former", former, path)
            _attach(database, other, "newer", key, path)
            database.execute("copy from database former to newer")
            for name in ("newer", "former"):  # what is in a log goes into its file
                database.execute(f"checkpoint {name}")
                database.execute(f"detach {name}")
        with other.open("rb+") as file:
            os.fsync(file.fileno())
        other.replace(path)
    finally:
        for left in (other, log):
            left.unlink(missing_ok=True)


def _attach(
    database: duckdb.DuckDBPyConnection,
    path: Path,
    name: str,
    key: StorageKey | None,
    shown: Path,
) -> None:
    if key is None:
        database.execute(f"attach {quoted(path)} as {name}")
    else:
        attach(database, path, name, [key], shown)
