"""Opens a DuckDB file, encrypted where the environment names a storage key.

DuckDB encrypts pages, log and what it spills by itself (AES-256-GCM), here under a key made from
the storage key for this alone. It writes encrypted files by OpenSSL only, which its extension
httpfs brings. No extension is ever downloaded here, so that one must have been installed.

A file from before there was a key stays as it is, and the log says so; `deepcity keys encrypt`
writes it anew (`deepcity.store.duckdb.rewrite`).
"""

import base64
import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from deepcity.city.errors import StorageKeyError
from deepcity.store.at_rest.storage_key import STORAGE_KEY_VARIABLE, StorageKey, storage_keys

ATTACHED = "city"
"""The name of an encrypted file's database."""
EXTENSION = "httpfs"
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {"autoinstall_known_extensions": False}
_NO_KEY = "without a key"  # in DuckDB's error for an encrypted file
_log = logging.getLogger(__name__)


def connect(path: Path) -> tuple[duckdb.DuckDBPyConnection, str]:
    """A connection to a file, and the name of the database that its cursors must `use`, or "".

    Raises:
        StorageKeyError: if the file is encrypted and no key of the environment opens it, or a key
            is named and DuckDB cannot encrypt here.
        duckdb.Error: if it cannot be opened for another reason.
    """
    keys = storage_keys()
    if path.exists() or not keys:
        with suppress(EncryptedError):
            database = connect_plain(path)
            if keys:
                _log.warning(
                    "%s is not encrypted, though %s names a key: stop what uses it, then run "
                    "`deepcity keys encrypt %s`",
                    *(path, STORAGE_KEY_VARIABLE, path.parent),
                )
            return database, ""
    if not keys:
        raise no_key(path)
    database = in_memory(path)
    try:
        attach(database, path, ATTACHED, keys)
    except BaseException:
        database.close()
        raise
    return database, ATTACHED


def no_key(path: Path) -> StorageKeyError:
    """That a file is encrypted and no key is named."""
    return StorageKeyError(
        f"{path} is encrypted, and {STORAGE_KEY_VARIABLE} names no key. Name its key there"
    )


class EncryptedError(Exception):
    """A file is encrypted."""


def connect_plain(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection to a file that is not encrypted.

    Raises:
        EncryptedError: if it is.
        duckdb.Error: if it cannot be opened for another reason.
    """
    try:
        return duckdb.connect(str(path), config=_SETTINGS)
    except duckdb.CatalogException as error:
        raise (EncryptedError if _NO_KEY in str(error) else error) from error


def in_memory(path: Path) -> duckdb.DuckDBPyConnection:
    """A database in memory, one for each file in this process, to attach that file to."""
    settings = {**_SETTINGS, "temp_directory": f"{path}.tmp", "temp_file_encryption": True}
    database = duckdb.connect(f":memory:{path}", config=settings)
    with suppress(duckdb.Error):
        database.execute(f"load {EXTENSION}")
    return database


def attach(
    database: duckdb.DuckDBPyConnection,
    path: Path,
    name: str,
    keys: Sequence[StorageKey],
    shown: Path | None = None,
) -> StorageKey:
    """Attach a file by the first key that opens it, and return that key; made if there is none.

    Args:
        shown: the file that messages name; left out, this one.

    Raises:
        StorageKeyError: if none does, or DuckDB cannot encrypt here.
    """
    with _key_errors(shown or path):
        for key in keys[:-1]:
            with suppress(duckdb.InvalidInputException):
                return _attach(database, path, name, key)
        return _attach(database, path, name, keys[-1])


def _attach(
    database: duckdb.DuckDBPyConnection, path: Path, name: str, key: StorageKey
) -> StorageKey:
    secret = hashlib.sha256(b"deepcity duckdb file" + key.secret).digest()
    option = f"encryption_key '{base64.b64encode(secret).decode()}', encryption_cipher 'GCM'"
    database.execute(f"attach if not exists {quoted(path)} as {name} ({option})")
    return key


def quoted(path: Path) -> str:
    """A path in a statement."""
    return "'" + str(path).replace("'", "''") + "'"


@contextmanager
def _key_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        if "crypto module" in str(error):
            raise StorageKeyError(
                f"{path} is to be encrypted, so nothing is written: DuckDB encrypts by its "
                f"extension {EXTENSION}, which is not installed here. Where there is a network, "
                f"run python -c \"import duckdb; duckdb.sql('install {EXTENSION}')\", or copy what "
                f"that writes into {_extensions()}; or keep the data in PostgreSQL on an encrypted "
                f"disk (--store)"
            ) from error
        if "Wrong encryption key" in str(error):
            raise StorageKeyError(
                f"{path} is encrypted with another key than {STORAGE_KEY_VARIABLE} names. Name "
                f"that key there, after a comma if another is to encrypt"
            ) from error
        raise


def _extensions() -> str:
    """The folder in which this DuckDB looks for extensions."""
    with duckdb.connect() as database:
        found = [database.execute(one).fetchone() for one in ("pragma version", "pragma platform")]
    version, platform = (row[0] if row else "" for row in found)
    return f"~/.duckdb/extensions/{version}/{platform}/"
