"""Open a store of deep data by its URL."""

from pathlib import Path

from deepcity.city.errors import StoreError
from deepcity.store.deep_data.store import DeepDataStore, MayRead

_FORMS = (
    "write duckdb:///data/deep.duckdb (a file, relative to this folder; four slashes before an "
    "absolute path) or postgresql://user:password@host/database"
)


def open_store(url: str, may_read: MayRead) -> DeepDataStore:
    """A store by its URL.

    ``duckdb:///deep.duckdb`` is a file in this folder, ``duckdb:////srv/deep.duckdb`` one by
    its whole path; ``postgresql://user:password@host/database`` is a database with pgvector.

    Args:
        may_read: (reader, space) -> True if a grant covers it; anything else refuses.

    Raises:
        StoreError: if the URL is of another form, or the store cannot be opened.
    """
    scheme, found, rest = url.partition("://")
    if not found:
        raise StoreError(f"{url!r} is not a URL of a store. Next: {_FORMS}")
    if scheme == "duckdb":
        return _open_file(url, rest, may_read)
    if scheme.partition("+")[0] in {"postgresql", "postgres"}:
        return _open_database(url, may_read)
    # the rest of it may hold a password
    raise StoreError(f"there is no store for {scheme}:// URLs. Next: {_FORMS}")


def _open_file(url: str, rest: str, may_read: MayRead) -> DeepDataStore:
    from deepcity.store.duckdb.file_store import DuckDBStore

    path = rest.removeprefix("/")
    if not rest.startswith("/") or not path or path == ":memory:":
        raise StoreError(f"{url!r} names no file. Next: {_FORMS}")
    return DuckDBStore(Path(path), may_read)


def _open_database(url: str, may_read: MayRead) -> DeepDataStore:
    try:
        from deepcity.store.postgres.pgvector_store import PostgresStore
    except ModuleNotFoundError as error:
        raise StoreError(
            f"the driver {error.name} for PostgreSQL is not installed. "
            "Next: pip install 'deepcity[postgres]'"
        ) from error
    return PostgresStore(url, may_read)
