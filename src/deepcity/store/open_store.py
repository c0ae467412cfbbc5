"""Open a store of deep data, or of events, by its URL."""

from pathlib import Path

from deepcity.city.errors import StoreError
from deepcity.store.deep_data.store import DeepDataStore, MayRead
from deepcity.store.events.event_store import EventStore

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
    scheme, rest = _split(url)
    if scheme == "duckdb":
        from deepcity.store.duckdb.file_store import DuckDBStore

        return DuckDBStore(_file(url, rest), may_read)
    try:
        from deepcity.store.postgres.pgvector_store import PostgresStore
    except ModuleNotFoundError as error:
        raise _no_driver(error) from error
    return PostgresStore(url, may_read)


def open_events(url: str) -> EventStore:
    """A store of events by its URL, of the forms that `open_store` takes.

    Raises:
        StoreError: if the URL is of another form, or the store cannot be opened.
    """
    scheme, rest = _split(url)
    if scheme == "duckdb":
        from deepcity.store.duckdb.event_file import DuckDBEvents

        return DuckDBEvents(_file(url, rest))
    try:
        from deepcity.store.postgres.event_database import PostgresEvents
    except ModuleNotFoundError as error:
        raise _no_driver(error) from error
    return PostgresEvents(url)


def deep_store_url(events_url: str) -> str:
    """Where the deep data of a node are kept whose events are kept at a URL: in the same database,
    or in a DuckDB file beside it, so that a long write of one keeps no write of the other waiting.

    >>> deep_store_url("duckdb:///runs/city.duckdb")
    'duckdb:///runs/city-deep.duckdb'

    Raises:
        StoreError: if the URL is of another form.
    """
    scheme, rest = _split(events_url)
    if scheme != "duckdb":
        return events_url
    path = _file(events_url, rest)
    return f"duckdb:///{path.with_name(f'{path.stem}-deep{path.suffix}')}"


def _split(url: str) -> tuple[str, str]:
    """Which database a URL is of, `duckdb` or `postgresql`, and what follows the scheme."""
    scheme, found, rest = url.partition("://")
    if not found:
        raise StoreError(f"{url!r} is not a URL of a store. Next: {_FORMS}")
    if scheme == "duckdb":
        return scheme, rest
    if scheme.partition("+")[0] in {"postgresql", "postgres"}:
        return "postgresql", rest
    # the rest of it may hold a password
    raise StoreError(f"there is no store for {scheme}:// URLs. Next: {_FORMS}")


def _file(url: str, rest: str) -> Path:
    path = rest.removeprefix("/")
    if not rest.startswith("/") or not path or path == ":memory:":
        raise StoreError(f"{url!r} names no file. Next: {_FORMS}")
    return Path(path)


def _no_driver(error: ModuleNotFoundError) -> StoreError:
    return StoreError(
        f"the driver {error.name} for PostgreSQL is not installed. "
        "Next: pip install 'deepcity[postgres]'"
    )
