"""Connectors, one file per format; this folder is the registry. A new format is a new file here.

A connector module defines `CONNECTOR`, which has the format's name, the file extensions it
handles and a settings class (keys of a `[[source]]` table), and reads a `RawTable`, whole or in
batches of rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Protocol

import polars as pl

from deepcity.data.config.source import SourceSettings
from deepcity.data.config.time_settings import HOUR, VALUE
from deepcity.data.connectors import many_files
from deepcity.data.tables.hour_rows import (
    columns_between,
    hour_rows,
    hour_texts,
    hours_of,
    with_hour_columns,
)

BATCH_ROWS = 500_000  # about 100 MB of text in a few columns
BATCH_CELLS = 4_000_000  # a table of many columns has fewer rows per batch


@dataclass(frozen=True)
class RawTable:
    """Raw records as read: columns are numbers, times or text, as the format delivers them.

    Attributes:
        frame: the rows, in the order of the file.
        first_row: number of the first row in the file (2 where line 1 is the header); of a
            source of several files, `FILE_ROWS` more for each file before.
        rows_each: how many of these rows come from one of the file.
    """

    frame: pl.DataFrame
    first_row: int
    rows_each: int = 1


def batches_of(rows: pl.LazyFrame, first_row: int) -> Iterator[RawTable]:
    """Read a lazy frame's rows in batches; `first_row` is the number of the first row."""
    size = rows_per_batch(len(rows.collect_schema()))
    for frame in rows.collect_batches(chunk_size=size, maintain_order=True, lazy=True):
        yield RawTable(frame, first_row)
        first_row += frame.height


def rows_per_batch(columns: int) -> int:
    """Rows per batch for a number of columns.

    >>> rows_per_batch(4), rows_per_batch(400)
    (500000, 10000)
    """
    return max(1, min(BATCH_ROWS, BATCH_CELLS // max(1, columns)))


class Connector(Protocol):
    """Interface of a connector. All four methods raise ReadError.

    Attributes:
        name: the format's name.
        suffixes: file extensions it handles.
        settings: class of its keys in a city file.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def suffixes(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def settings(self) -> type[SourceSettings]: ...  # noqa: D102

    def check(self, source: Any, folder: Path) -> None:  # noqa: ANN401 - its own settings
        """Check, without reading the rows, that the records exist."""
        ...

    def read(self, source: Any, folder: Path) -> RawTable:  # noqa: ANN401 - its own settings
        """All rows; relative paths start at `folder`."""
        ...

    def batches(
        self,
        source: Any,  # noqa: ANN401 - its own settings
        folder: Path,
        columns: Sequence[str],
    ) -> Iterator[RawTable]:
        """The given columns (all must exist), `rows_per_batch` rows at a time, in file order."""
        ...

    def columns(self, source: Any, folder: Path) -> list[str]:  # noqa: ANN401 - its own settings
        """Names of the columns, without reading the rows where the format allows."""
        ...


def connectors() -> dict[str, Connector]:
    """Every connector of this folder by its format's name."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    found: list[Connector] = [
        module.CONNECTOR for module in modules if hasattr(module, "CONNECTOR")
    ]
    return {connector.name: connector for connector in sorted(found, key=lambda c: c.name)}


def connector_for(path: Path) -> Connector | None:
    """The connector for a file's extension, or None."""
    name = path.name.lower()
    fitting = (c for c in connectors().values() if c.suffixes and name.endswith(c.suffixes))
    return next(fitting, None)


def check_source(source: SourceSettings, folder: Path) -> None:
    """Check, without reading the rows, that the records of a source exist.

    Raises:
        ReadError: if they do not.
    """
    connector = connectors()[source.format]
    for part in many_files.parts_of(connector, source, folder):
        connector.check(part.source, folder)


def part_names(source: SourceSettings, folder: Path) -> tuple[str, ...]:
    """What messages call the files of a source; empty texts where it has one.

    Raises:
        ReadError: if no file fits its path.
    """
    parts = many_files.parts_of(connectors()[source.format], source, folder)
    return tuple(part.label for part in parts)


def read_table(source: SourceSettings, folder: Path) -> RawTable:
    """All rows of a source.

    Raises:
        ReadError: if they cannot be read.
    """
    return many_files.whole_table(connectors()[source.format], source, folder)


def read_columns(source: SourceSettings, folder: Path) -> list[str]:
    """Names of a source's columns, those of all its files.

    Raises:
        ReadError: if they cannot be read.
    """
    names = many_files.all_columns(connectors()[source.format], source, folder)
    hours = hours_of(source)
    return names if hours is None else with_hour_columns(names, hours)


def read_columns_by_part(
    source: SourceSettings, folder: Path
) -> list[tuple[many_files.Part, list[str]]]:
    """Names of the columns of each file of a source.

    Raises:
        ReadError: if they cannot be read.
    """
    parts = many_files.columns_by_part(connectors()[source.format], source, folder)
    hours = hours_of(source)
    if hours is None:
        return parts
    return [(part, with_hour_columns(names, hours)) for part, names in parts]


def read_batches(
    source: SourceSettings, folder: Path, columns: Sequence[str]
) -> Iterator[RawTable]:
    """The given columns of a source, all of which must exist, in batches of rows.

    Raises:
        ReadError: if they cannot be read.
    """
    names = list(dict.fromkeys(columns))
    connector, hours = connectors()[source.format], hours_of(source)
    if hours is None or not {HOUR, VALUE} & set(names):
        return many_files.all_batches(connector, source, folder, names)
    own = columns_between(many_files.all_columns(connector, source, folder), hours)
    plain = [name for name in names if name not in (HOUR, VALUE)]
    tables = many_files.all_batches(connector, source, folder, [*plain, *own])
    return _hours_as_rows(source, tables, own)


def _hours_as_rows(
    source: SourceSettings, tables: Iterator[RawTable], own: Sequence[str]
) -> Iterator[RawTable]:
    """Tables whose columns of hours, `own`, have become rows."""
    assert source.time is not None
    assert source.time.hour_columns is not None
    step_s = int(source.time.step_of_hours.total_seconds())
    texts = hour_texts(len(own), source.time.hour_columns, step_s)
    for table in tables:
        first_row, width = table.first_row, table.frame.width - len(own) + 2
        for frame in hour_rows(table.frame, own, texts, rows_per_batch(width)):
            yield RawTable(frame, first_row, len(own))
            first_row += frame.height // len(own)
