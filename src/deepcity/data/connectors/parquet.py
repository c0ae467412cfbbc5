"""Parquet: a file, with the column types it carries.

A row group is decoded as a whole, and some writers put a whole file into one; so of a large
file a few columns are read at a time.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import polars as pl

from deepcity.data.connectors import ReadError, Table, batches_of, rows_at_once
from deepcity.data.location import LocationError, locate
from deepcity.data.source import SourceSettings
from deepcity.data.strips import Strips

GROUP_CELLS = 32_000_000  # some 250 MB of numbers, decoded together


class ParquetSettings(SourceSettings):
    """Keys of a Parquet source."""

    format: Literal["parquet"] = "parquet"
    path: str


class ParquetConnector:
    """Reads Parquet files."""

    name = "parquet"
    suffixes = (".parquet", ".pq")
    settings = ParquetSettings

    def check(self, source: ParquetSettings, folder: Path) -> None:
        """See that the file is there."""
        _file(source, folder)

    def read(self, source: ParquetSettings, folder: Path) -> Table:
        """All rows; they count from 1."""
        path = _file(source, folder)
        try:
            return Table(pl.read_parquet(path), 1)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise _broken(source, error) from error

    def batches(
        self, source: ParquetSettings, folder: Path, columns: Sequence[str]
    ) -> Iterator[Table]:
        """Some columns, some rows at a time."""
        path = _file(source, folder)
        try:
            lazy = pl.scan_parquet(path).select(columns)
            height = lazy.select(pl.len()).collect().item()
            if height * len(columns) <= GROUP_CELLS:
                yield from batches_of(lazy, 1)
            else:
                yield from _strip_by_strip(lazy, columns, max(1, GROUP_CELLS // height))
        except (pl.exceptions.PolarsError, OSError) as error:
            raise _broken(source, error) from error

    def columns(self, source: ParquetSettings, folder: Path) -> list[str]:
        """Names of the columns, from the file's footer."""
        path = _file(source, folder)
        try:
            return list(pl.read_parquet_schema(path))
        except (pl.exceptions.PolarsError, OSError) as error:
            raise _broken(source, error) from error


def _strip_by_strip(lazy: pl.LazyFrame, columns: Sequence[str], width: int) -> Iterator[Table]:
    """All rows, in batches, decoding `width` columns at a time."""
    with Strips(rows_at_once(len(columns))) as strips:
        for start in range(0, len(columns), width):
            strips.add(lazy.select(columns[start : start + width]))
        first_row = 1
        for frame in strips.rows():
            yield Table(frame, first_row)
            first_row += frame.height


def _file(source: ParquetSettings, folder: Path) -> Path:
    try:
        return locate(source.path, folder)
    except LocationError as error:
        raise ReadError("path", source.path, str(error), error.right) from error


def _broken(source: ParquetSettings, error: Exception) -> ReadError:
    reason = f"cannot be read: {str(error).strip().splitlines()[0][:200]}"
    return ReadError("path", source.path, reason, "see that it is a whole Parquet file")


CONNECTOR = ParquetConnector()
