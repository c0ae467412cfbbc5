"""CSV, plain or gzip. Cells stay text here; they are parsed where row numbers can be reported."""

import csv
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import Field, model_validator

from deepcity.data.config.toml_file import wrong
from deepcity.data.connectors import RawTable, batches_of, rows_per_batch
from deepcity.data.connectors.location import locate
from deepcity.data.connectors.many_files import FileSettings
from deepcity.data.encodings.names import LOSSY, UTF8, Encoding, is_wide
from deepcity.data.encodings.utf8_file import utf8_file
from deepcity.data.errors import ReadError
from deepcity.data.file_state import FileState, file_state
from deepcity.data.text_files.csv_faults import fault_of
from deepcity.data.text_files.csv_transposed import TransposedCsv
from deepcity.data.text_files.soundness import check_text

BROKEN = (csv.Error, zlib.error)


class CsvSettings(FileSettings):
    """Keys of a CSV source.

    Attributes:
        delimiter: character between cells.
        encoding: of the text, by any usual name; ``utf8-lossy`` replaces bytes that are not UTF-8.
        header: whether the first row names the columns; if not, `names` does.
        names: of the columns where no header names them: a list, or a pattern that numbers
            them from 1, e.g. ``station-{n}``.
        transpose: swap rows and columns, for a file with one row per place, one column per time.
        skip_rows: lines to skip before the header.
        skip_footer: rows to leave out at the end.
        max_line_mb: size of the longest line, and of the longest cell in quotes, that is read.
    """

    format: Literal["csv"] = "csv"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: Encoding = UTF8
    header: bool = True
    names: tuple[str, ...] | str = "column_{n}"
    transpose: bool = False
    skip_rows: int = Field(default=0, ge=0)
    skip_footer: int = Field(default=0, ge=0)
    max_line_mb: float = Field(default=32, gt=0)

    @property
    def row_noun(self) -> str:
        """What a row of the table is in the file."""
        return "column" if self.transpose else "row"

    @model_validator(mode="after")
    def _names_are_needed(self) -> "CsvSettings":
        if self.header and "names" in self.model_fields_set:
            right = "remove names, or set header = false if the file has no header"
            raise wrong("only used without a header", right, "names")
        if isinstance(self.names, str) and "{n}" not in self.names:
            right = "write e.g. names = 'station-{n}', or a list"
            raise wrong("the pattern has no {n}", right, "names")
        if not isinstance(self.names, str) and len(set(self.names)) < len(self.names):
            raise wrong("a name occurs twice", "give each column a name of its own", "names")
        return self


class CsvConnector:
    """Reads comma-separated values."""

    name = "csv"
    suffixes = (".csv", ".csv.gz", ".tsv", ".txt")
    settings = CsvSettings

    def check(self, source: CsvSettings, folder: Path) -> None:
        """Check that the file exists."""
        locate(source.path, folder)

    def read(self, source: CsvSettings, folder: Path) -> RawTable:
        """All rows, every cell as text."""
        return RawTable(_frame(source, folder), _first_row(source))

    def batches(
        self, source: CsvSettings, folder: Path, columns: Sequence[str]
    ) -> Iterator[RawTable]:
        """The given columns, in batches of rows."""
        first_row = _first_row(source)
        with _as_read_errors(source, folder):
            if not source.transpose:
                yield from batches_of(_scan(source, folder).select(columns), first_row)
                return
            for frame in _transposed(source, folder, columns):
                yield RawTable(frame, first_row)
                first_row += frame.height

    def columns(self, source: CsvSettings, folder: Path) -> list[str]:
        """Names of the columns."""
        with _as_read_errors(source, folder):
            if source.transpose:
                return _row_names(source, folder)
            return _scan(source, folder).collect_schema().names()


def _first_row(source: CsvSettings) -> int:
    """Line number of the first row; of a transposed file, its column number."""
    return (0 if source.transpose else source.skip_rows) + (2 if source.header else 1)


def _frame(source: CsvSettings, folder: Path) -> pl.DataFrame:
    with _as_read_errors(source, folder):
        if not source.transpose:
            return _scan(source, folder).collect()
        names = _row_names(source, folder)
        empty = pl.DataFrame(schema=dict.fromkeys(names, pl.String))
        return pl.concat([empty, *_transposed(source, folder, names)])


def _row_names(source: CsvSettings, folder: Path) -> list[str]:
    """Column names of a transposed file."""
    table = _transposed_csv(source, folder)
    if source.header:
        return table.names()
    numbers = [str(number) for number in range(_row_count(table, file_state(table.path)))]
    return list(_renamed(numbers, source).values())


@lru_cache(maxsize=64)
def _row_count(table: TransposedCsv, _state: FileState) -> int:
    """Rows of a transposed file as it is now; counted once, though asked for again and again."""
    return sum(1 for _ in table.rows())


def _transposed(
    source: CsvSettings, folder: Path, columns: Sequence[str]
) -> Iterator[pl.DataFrame]:
    """A transposed file in batches: each row returned is a column of the file."""

    def name_of(number: int, first: str) -> str:
        if source.header:
            return first
        if isinstance(source.names, str):
            return source.names.replace("{n}", str(number + 1))
        return source.names[number]

    yield from _transposed_csv(source, folder).transposed(
        columns, rows_per_batch(len(columns)), name_of
    )


def _transposed_csv(source: CsvSettings, folder: Path) -> TransposedCsv:
    lossy = source.encoding == LOSSY
    path = _sound_utf8(source, folder)
    return TransposedCsv(path, source.delimiter, lossy, source.skip_rows, source.header)


def _sound_utf8(source: CsvSettings, folder: Path) -> Path:
    """The file as UTF-8, once it has been found to be whole and its lines to have an end."""
    path = locate(source.path, folder)
    check_text(
        path,
        max_line=round(source.max_line_mb * 1e6),
        delimiter=source.delimiter,
        quotes=not is_wide(source.encoding),
        columns=not source.transpose,
    )
    return utf8_file(path, source.encoding)


def _scan(source: CsvSettings, folder: Path) -> pl.LazyFrame:
    """The file as a lazy frame, whose rows are read on collection."""
    lazy = pl.scan_csv(
        _sound_utf8(source, folder),
        separator=source.delimiter,
        encoding="utf8-lossy" if source.encoding == LOSSY else "utf8",
        has_header=source.header,
        skip_rows=source.skip_rows,
        infer_schema=False,
    )
    names = lazy.collect_schema().names()
    repeated = [name for name in names if "_duplicated_" in name]
    if repeated:
        raise _repeated(repeated[0].rpartition("_duplicated_")[0], names, source)
    return lazy if source.header else lazy.rename(_renamed(names, source))


def _repeated(name: str, names: list[str], source: CsvSettings) -> ReadError:
    """Two columns of one name; where all names are numbers, the first line may hold values."""
    numbers = all(re.fullmatch(r"\s*-?\d+(\.\d+)?(_duplicated_\d+)?\s*", one) for one in names)
    if not numbers:
        return ReadError(
            "path", source.path, f"two columns are named {name!r}", "rename one of them"
        )
    reason = (
        f"its first line holds numbers, {name} twice, as lines of values do: it names no column"
    )
    right = (
        "set header = false and names = 'place-{n}', with transpose = true where a line is a "
        "place, and time = { start = ..., step = ... }, as no column holds times"
    )
    return ReadError("header", source.path, reason, right)


def _renamed(columns: list[str], source: CsvSettings) -> dict[str, str]:
    """Default column name -> configured name, for a file without a header."""
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
def _as_read_errors(source: CsvSettings, folder: Path) -> Iterator[None]:
    """Turn parser errors into a ReadError with the next step."""
    try:
        yield
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError, EOFError, *BROKEN) as error:
        fault = fault_of(locate(source.path, folder), source)
        if fault is not None:
            raise fault from error
        reason = str(error).strip().splitlines()[0][:200]
        right = "check that the file is complete, and its delimiter, encoding and skip_rows"
        raise ReadError("path", source.path, f"cannot be read: {reason}", right) from error


CONNECTOR = CsvConnector()
