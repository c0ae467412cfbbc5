"""CSV, plain or gzip. Cells stay texts here; whoever makes them numbers knows the row."""

from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import Field

from deepcity.data.connectors import ReadError, Table
from deepcity.data.location import LocationError, locate
from deepcity.data.source import SourceSettings


class CsvSettings(SourceSettings):
    """Keys of a CSV source.

    Attributes:
        path: the file.
        delimiter: sign between cells.
        encoding: of the text; ``utf8-lossy`` puts up with stray bytes.
        header: whether the first row names the columns; if not, they are ``column_1`` ...
        skip_rows: lines to leave out before the header.
    """

    format: Literal["csv"] = "csv"
    path: str
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: Literal["utf8", "utf8-lossy"] = "utf8"
    header: bool = True
    skip_rows: int = Field(default=0, ge=0)


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
        frame = _read(source, folder, None)
        return Table(frame, source.skip_rows + (2 if source.header else 1))

    def columns(self, source: CsvSettings, folder: Path) -> list[str]:
        """Names of the columns."""
        return _read(source, folder, 1).columns


def _file(source: CsvSettings, folder: Path) -> Path:
    try:
        return locate(source.path, folder)
    except LocationError as error:
        raise ReadError("path", source.path, str(error), error.right) from error


def _read(source: CsvSettings, folder: Path, rows: int | None) -> pl.DataFrame:
    path = _file(source, folder)
    try:
        frame = pl.read_csv(
            path,
            separator=source.delimiter,
            encoding=source.encoding,
            has_header=source.header,
            skip_rows=source.skip_rows,
            n_rows=rows,
            infer_schema=False,
        )
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError, EOFError) as error:
        reason = str(error).strip().splitlines()[0][:200]
        right = "see that it is a whole CSV file (or .gz); check delimiter, encoding and skip_rows"
        raise ReadError("path", source.path, f"cannot be read: {reason}", right) from error
    twice = [name for name in frame.columns if "_duplicated_" in name]
    if twice:
        name = twice[0].rpartition("_duplicated_")[0]
        raise ReadError(
            "path", source.path, f"two columns are named {name!r}", "rename one of them"
        )
    return frame


CONNECTOR = CsvConnector()
