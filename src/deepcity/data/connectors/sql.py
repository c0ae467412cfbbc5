"""SQL databases through SQLAlchemy: a URL and a query; passwords come from the environment."""

import os
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import polars as pl
from pydantic import Field

from deepcity.data import connectors
from deepcity.data.config.source import SourceSettings
from deepcity.data.connectors import RawTable
from deepcity.data.errors import ReadError

if TYPE_CHECKING:  # a quarter of a second: imported where a database is read
    from sqlalchemy import Engine


class SqlSettings(SourceSettings):
    """Keys of an SQL source.

    Attributes:
        url: SQLAlchemy URL; ``${NAME}`` is taken from the environment. A relative path of a
            SQLite or DuckDB file starts at the city file.
        query: one SELECT, ordered by time where the order matters.
    """

    format: Literal["sql"] = "sql"
    url: str = Field(min_length=1)
    query: str = Field(min_length=1)


class SqlConnector:
    """Reads the rows of a query."""

    name = "sql"
    suffixes = ()
    settings = SqlSettings

    def check(self, source: SqlSettings, folder: Path) -> None:
        """Check that the URL is usable and that a database file it names exists."""
        engine_of(source, folder).dispose()

    def read(self, source: SqlSettings, folder: Path) -> RawTable:
        """All rows of the query, numbered from 1."""
        names, rows = _all_rows(source, folder)
        series = [_series(name, [row[i] for row in rows]) for i, name in enumerate(names)]
        return RawTable(pl.DataFrame(series), 1)

    def batches(
        self, source: SqlSettings, folder: Path, columns: Sequence[str]
    ) -> Iterator[RawTable]:
        """The given columns, in batches of rows, as the database delivers them."""
        first_row = 1
        for names, rows in _batches(source, folder, connectors.rows_per_batch(len(columns))):
            wanted = [(name, names.index(name)) for name in columns]
            series = [_series(name, [row[i] for row in rows]) for name, i in wanted]
            yield RawTable(pl.DataFrame(series), first_row)
            first_row += len(rows)

    def columns(self, source: SqlSettings, folder: Path) -> list[str]:
        """Names of the query's columns."""
        with closing(_batches(source, folder, 1)) as batches:
            return next(batches)[0]


def from_environment(url: str) -> str:
    """A URL with ``${NAME}`` taken from the environment.

    Raises:
        ReadError: if a variable is not set.
    """
    unset = [name for name in re.findall(r"\$\{(\w+)\}", url) if name not in os.environ]
    if unset:
        reason = f"the environment variable {unset[0]} is not set"
        raise ReadError("url", url, reason, f"run: export {unset[0]}=...")
    return re.sub(r"\$\{(\w+)\}", lambda found: os.environ[found[1]], url)


def engine_of(source: SqlSettings, folder: Path) -> "Engine":
    """The database that a source names; to be disposed of.

    Raises:
        ReadError: if the URL is not usable, or names a database file that is not there.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError
    from sqlalchemy.pool import NullPool

    try:
        engine = create_engine(from_environment(source.url), poolclass=NullPool)
    except (ArgumentError, NoSuchModuleError) as error:
        right = "write dialect+driver://user:${PASSWORD}@host/database, e.g. sqlite:///records.db"
        raise ReadError("url", source.url, "not a usable database URL", right) from error
    except ModuleNotFoundError as error:
        reason = f"the database driver {error.name!r} is not installed"
        raise ReadError("url", source.url, reason, f"run: pip install {error.name}") from error
    file = engine.url.database
    if engine.dialect.name in {"sqlite", "duckdb"} and file and file != ":memory:":
        if not (folder / file).is_file():
            reason = "no such database file"
            raise ReadError("url", source.url, reason, f"put it at {(folder / file).absolute()}")
        engine = create_engine(engine.url.set(database=str(folder / file)), poolclass=NullPool)
    return engine


Rows = list[tuple[object, ...]]


def _all_rows(source: SqlSettings, folder: Path) -> tuple[list[str], Rows]:
    names: list[str] = []
    rows: Rows = []
    for names, batch in _batches(source, folder, connectors.BATCH_ROWS):  # noqa: B007 - the last
        rows += batch
    return names, rows


def _batches(
    source: SqlSettings, folder: Path, size: int
) -> Generator[tuple[list[str], Rows], None, None]:
    """Yields column names and up to `size` rows of the query, at least once even without rows.

    Uses a server-side cursor where the database has one, so that memory stays bounded.
    """
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    engine = engine_of(source, folder)
    try:
        with (
            engine.connect().execution_options(stream_results=True) as connection,
            connection.execute(text(source.query)) as result,
        ):
            names, rows = list(result.keys()), result.fetchmany(size)
            yield names, [tuple(row) for row in rows]
            while len(rows) == size and (rows := result.fetchmany(size)):
                yield names, [tuple(row) for row in rows]
    except SQLAlchemyError as error:
        # The driver's own message, without SQLAlchemy's, which repeats parts of the URL.
        reason = str(getattr(error, "orig", None) or type(error).__name__).splitlines()[0][:200]
        reason = f"the database reported: {reason}"
        right = "run the query in the database's own client and correct it here"
        raise ReadError("query", source.query, reason, right) from error
    finally:
        engine.dispose()


def _series(name: str, values: list[object]) -> pl.Series:
    """One column; as text where its types are mixed (SQLite allows that)."""
    try:
        return pl.Series(name, values, strict=True)
    except (TypeError, pl.exceptions.PolarsError):
        return pl.Series(name, [None if value is None else str(value) for value in values])


CONNECTOR = SqlConnector()
