"""Parquet files, with their own column types.

A row group is decoded as a whole, and some writers put a whole file into one, so a large file
is read a few columns at a time.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import polars as pl

from deepcity.data.connectors import ReadError, Table, batches_of, rows_at_once
from deepcity.data.location import locate
from deepcity.data.source import SourceSettings
from deepcity.data.strips import Strips

GROUP_CELLS = 32_000_000  # about 250 MB of numbers decoded at once


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
        """Check that the file exists."""
        locate(source.path, folder)

    def read(self, source: ParquetSettings, folder: Path) -> Table:
        """All rows, numbered from 1."""
        path = locate(source.path, folder)
        try:
            return Table(pl.read_parquet(path), 1)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise _broken(source, error) from error

    def batches(
        self, source: ParquetSettings, folder: Path, columns: Sequence[str]
    ) -> Iterator[Table]:
        """The given columns, in batches of rows."""
        path = locate(source.path, folder)
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
        path = locate(source.path, folder)
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


def _broken(source: ParquetSettings, error: Exception) -> ReadError:
    reason = f"cannot be read: {str(error).strip().splitlines()[0][:200]}"
    return ReadError("path", source.path, reason, "check that it is a complete Parquet file")


CONNECTOR = ParquetConnector()
