"""CSV, plain or gzip. Cells stay texts here; whoever makes them numbers knows the row."""

import csv
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import Field, model_validator

from deepcity.data.connectors import ReadError, Table, batches_of, rows_at_once
from deepcity.data.location import LocationError, locate
from deepcity.data.source import SourceSettings
from deepcity.data.toml_file import wrong
from deepcity.data.turned import OnItsSide

BROKEN = (csv.Error, zlib.error)


class CsvSettings(SourceSettings):
    """Keys of a CSV source.

    Attributes:
        path: the file.
        delimiter: sign between cells.
        encoding: of the text; ``utf8-lossy`` puts up with stray bytes.
        header: whether the first row names the columns; if not, `names` does.
        names: of the columns where no header names them: a list, or a pattern that numbers
            them from 1, e.g. ``station-{n}``.
        transpose: rows and columns change places, where a row is a place and a column a time.
        skip_rows: lines to leave out before the header.
    """

    format: Literal["csv"] = "csv"
    path: str
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: Literal["utf8", "utf8-lossy"] = "utf8"
    header: bool = True
    names: tuple[str, ...] | str = "column_{n}"
    transpose: bool = False
    skip_rows: int = Field(default=0, ge=0)

    @property
    def row_word(self) -> str:
        """What its rows are in the file."""
        return "column" if self.transpose else "row"

    @model_validator(mode="after")
    def _names_are_needed(self) -> "CsvSettings":
        if self.header and "names" in self.model_fields_set:
            raise wrong("the header names the columns", "say header = false", "names")
        if isinstance(self.names, str) and "{n}" not in self.names:
            raise wrong("no {n} in it", "write e.g. names = 'station-{n}', or a list", "names")
        if not isinstance(self.names, str) and len(set(self.names)) < len(self.names):
            raise wrong("a name stands there twice", "give each column its own", "names")
        return self


class CsvConnector:
    """Reads comma-separated values."""

    name = "csv"
    suffixes = (".csv", ".csv.gz", ".tsv", ".txt")
    settings = CsvSettings

    def check(self, source: CsvSettings, folder: Path) -> None:
        """See that the file is there."""
        _file(source, folder)

    def read(self, source: CsvSettings, folder: Path) -> Table:
        """All rows, every cell a text."""
        return Table(_frame(source, folder), _first_row(source))

    def batches(self, source: CsvSettings, folder: Path, columns: Sequence[str]) -> Iterator[Table]:
        """Some columns, some rows at a time."""
        first_row = _first_row(source)
        with _told(source):
            if not source.transpose:
                yield from batches_of(_scan(source, folder).select(columns), first_row)
                return
            for frame in _turned(source, folder, columns):
                yield Table(frame, first_row)
                first_row += frame.height

    def columns(self, source: CsvSettings, folder: Path) -> list[str]:
        """Names of the columns."""
        with _told(source):
            if source.transpose:
                return _row_names(source, folder)
            return _scan(source, folder).collect_schema().names()


def _first_row(source: CsvSettings) -> int:
    """The line of the first row; of a transposed table, the number of its column."""
    return (0 if source.transpose else source.skip_rows) + (2 if source.header else 1)


def _file(source: CsvSettings, folder: Path) -> Path:
    try:
        return locate(source.path, folder)
    except LocationError as error:
        raise ReadError("path", source.path, str(error), error.right) from error


def _frame(source: CsvSettings, folder: Path) -> pl.DataFrame:
    with _told(source):
        if not source.transpose:
            return _scan(source, folder).collect()
        names = _row_names(source, folder)
        empty = pl.DataFrame(schema=dict.fromkeys(names, pl.String))
        return pl.concat([empty, *_turned(source, folder, names)])


def _row_names(source: CsvSettings, folder: Path) -> list[str]:
    """What the columns are called once rows are columns."""
    side = _side(source, folder)
    if source.header:
        return side.names()
    numbers = [str(number) for number, _ in enumerate(side.rows())]
    return list(_renamed(numbers, source).values())


def _turned(source: CsvSettings, folder: Path, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Rows of the file as columns; a row of what is given back was a column of the file."""

    def name_of(number: int, first: str) -> str:
        if source.header:
            return first
        if isinstance(source.names, str):
            return source.names.replace("{n}", str(number + 1))
        return source.names[number]

    yield from _side(source, folder).turned(columns, rows_at_once(len(columns)), name_of)


def _side(source: CsvSettings, folder: Path) -> OnItsSide:
    lossy = source.encoding == "utf8-lossy"
    path = _file(source, folder)
    return OnItsSide(path, source.delimiter, lossy, source.skip_rows, source.header)


def _scan(source: CsvSettings, folder: Path) -> pl.LazyFrame:
    """The file without its rows, which come when they are collected."""
    lazy = pl.scan_csv(
        _file(source, folder),
        separator=source.delimiter,
        encoding=source.encoding,
        has_header=source.header,
        skip_rows=source.skip_rows,
        infer_schema=False,
    )
    names = lazy.collect_schema().names()
    twice = [name for name in names if "_duplicated_" in name]
    if twice:
        name = twice[0].rpartition("_duplicated_")[0]
        right = "rename one of them"
        raise ReadError("path", source.path, f"two columns are named {name!r}", right)
    return lazy if source.header else lazy.rename(_renamed(names, source))


def _renamed(columns: list[str], source: CsvSettings) -> dict[str, str]:
    """Each column's name where no header tells it."""
    if isinstance(source.names, str):
        names = [source.names.replace("{n}", str(n)) for n in range(1, len(columns) + 1)]
    else:
        names = list(source.names)
    if len(names) != len(columns):
        right = "give a name for each column, or a pattern such as 'station-{n}'"
        reason = f"{len(names)} names for {len(columns)} columns"
        raise ReadError("names", None, reason, right)
    return dict(zip(columns, names, strict=True))


@contextmanager
def _told(source: CsvSettings) -> Iterator[None]:
    """What a reader stumbles over, with the next step."""
    try:
        yield
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError, EOFError, *BROKEN) as error:
        reason = str(error).strip().splitlines()[0][:200]
        right = "see that it is a whole CSV file (or .gz); check delimiter, encoding and skip_rows"
        raise ReadError("path", source.path, f"cannot be read: {reason}", right) from error


CONNECTOR = CsvConnector()
