"""One file a format; this folder is the registry. A new format is a new file here.

A connector module holds `CONNECTOR`, which is named by its format, lists the suffixes it
answers for, has settings of its own (keys of a `[[source]]` table), and reads a `Table`,
whole or a batch of rows at a time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Protocol

import polars as pl

from deepcity.data.source import SourceSettings

BATCH_ROWS = 500_000  # texts of a few columns: some 100 MB
BATCH_CELLS = 4_000_000  # as many cells; a table of many columns comes in fewer rows at a time


@dataclass(frozen=True)
class Table:
    """Raw records as read: columns are numbers, times or texts, just as the format gives them.

    Attributes:
        frame: the rows, in the order of the file.
        first_row: what a reader calls the first of them (2 where line 1 is the header).
    """

    frame: pl.DataFrame
    first_row: int


def batches_of(rows: pl.LazyFrame, first_row: int) -> Iterator[Table]:
    """Rows that are still to be read, some at a time; `first_row` is the first's number."""
    size = rows_at_once(len(rows.collect_schema()))
    for frame in rows.collect_batches(chunk_size=size, maintain_order=True, lazy=True):
        yield Table(frame, first_row)
        first_row += frame.height


def rows_at_once(columns: int) -> int:
    """How many rows of so many columns make a batch.

    >>> rows_at_once(4), rows_at_once(400)
    (500000, 10000)
    """
    return max(1, min(BATCH_ROWS, BATCH_CELLS // max(1, columns)))


class ReadError(Exception):
    """Records that cannot be read; `key` is the setting to look at, `right` the next step."""

    def __init__(self, key: str, value: object, reason: str, right: str) -> None:
        super().__init__(reason)
        self.key, self.value, self.reason, self.right = key, value, reason, right


class Connector(Protocol):
    """What a format must offer. All four methods raise ReadError.

    Attributes:
        name: the format's name.
        suffixes: endings of files it answers for.
        settings: its keys in a city file.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def suffixes(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def settings(self) -> type[SourceSettings]: ...  # noqa: D102

    def check(self, source: Any, folder: Path) -> None:  # noqa: ANN401 - its own settings
        """See, without reading the rows, that the records are there."""
        ...

    def read(self, source: Any, folder: Path) -> Table:  # noqa: ANN401 - its own settings
        """All rows; relative paths start at `folder`."""
        ...

    def batches(
        self,
        source: Any,  # noqa: ANN401 - its own settings
        folder: Path,
        columns: Sequence[str],
    ) -> Iterator[Table]:
        """Some columns (all there), `rows_at_once` at a time, in the order of the file."""
        ...

    def columns(self, source: Any, folder: Path) -> list[str]:  # noqa: ANN401 - its own settings
        """Names of the columns, without reading the rows where the format allows."""
        ...


@cache
def connectors() -> dict[str, Connector]:
    """Every connector of this folder by its format's name."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    found: list[Connector] = [module.CONNECTOR for module in modules]
    return {connector.name: connector for connector in sorted(found, key=lambda c: c.name)}


def connector_for(path: Path) -> Connector | None:
    """The connector that answers for a file's ending."""
    name = path.name.lower()
    fitting = (c for c in connectors().values() if c.suffixes and name.endswith(c.suffixes))
    return next(fitting, None)


def read_table(source: SourceSettings, folder: Path) -> Table:
    """All rows of a source.

    Raises:
        ReadError: if they cannot be read.
    """
    return connectors()[source.format].read(source, folder)


def read_columns(source: SourceSettings, folder: Path) -> list[str]:
    """Names of a source's columns.

    Raises:
        ReadError: if they cannot be read.
    """
    return connectors()[source.format].columns(source, folder)


def read_batches(source: SourceSettings, folder: Path, columns: Sequence[str]) -> Iterator[Table]:
    """Some columns of a source, all of which it has, some rows at a time.

    Raises:
        ReadError: if they cannot be read.
    """
    return connectors()[source.format].batches(source, folder, list(dict.fromkeys(columns)))
