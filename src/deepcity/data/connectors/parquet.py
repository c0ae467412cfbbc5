"""Parquet files, with their own column types.

A row group is decoded as a whole, and some writers put a whole file into one, so a large file
is read a few columns at a time.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import polars as pl

from deepcity.data.connectors import RawTable, batches_of, rows_per_batch
from deepcity.data.connectors.location import locate
from deepcity.data.connectors.many_files import FileSettings
from deepcity.data.errors import ReadError
from deepcity.data.text_files.column_spool import ColumnSpool

BROKEN = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
"""What reading a damaged file may end in; a panic of the reader is no Exception."""
GROUP_CELLS = 32_000_000  # about 250 MB of numbers decoded at once


class ParquetSettings(FileSettings):
    """Keys of a Parquet source."""

    format: Literal["parquet"] = "parquet"


class ParquetConnector:
    """Reads Parquet files."""

    name = "parquet"
    suffixes = (".parquet", ".pq")
    settings = ParquetSettings

    def check(self, source: ParquetSettings, folder: Path) -> None:
        """Check that the file exists."""
        locate(source.path, folder)

    def read(self, source: ParquetSettings, folder: Path) -> RawTable:
        """All rows, numbered from 1."""
        path = locate(source.path, folder)
        try:
            return RawTable(pl.read_parquet(path), 1)
        except BROKEN as error:
            raise _broken(source, error) from error

    def batches(
        self, source: ParquetSettings, folder: Path, columns: Sequence[str]
    ) -> Iterator[RawTable]:
        """The given columns, in batches of rows."""
        path = locate(source.path, folder)
        try:
            lazy = pl.scan_parquet(path).select(columns)
            height = lazy.select(pl.len()).collect().item()
            if height * len(columns) <= GROUP_CELLS:
                yield from batches_of(lazy, 1)
            else:
                yield from _spooled_batches(lazy, columns, max(1, GROUP_CELLS // height))
        except BROKEN as error:
            raise _broken(source, error) from error

    def columns(self, source: ParquetSettings, folder: Path) -> list[str]:
        """Names of the columns, from the file's footer."""
        path = locate(source.path, folder)
        try:
            return list(pl.read_parquet_schema(path))
        except BROKEN as error:
            raise _broken(source, error) from error


def _spooled_batches(lazy: pl.LazyFrame, columns: Sequence[str], width: int) -> Iterator[RawTable]:
    """All rows, in batches, decoding `width` columns at a time."""
    with ColumnSpool(rows_per_batch(len(columns))) as column_spool:
        for start in range(0, len(columns), width):
            column_spool.add(lazy.select(columns[start : start + width]))
        first_row = 1
        for frame in column_spool.rows():
            yield RawTable(frame, first_row)
            first_row += frame.height


def _broken(source: ParquetSettings, error: BaseException) -> ReadError:
    reason = (
        f"cannot be read: {(str(error).strip().splitlines() or [type(error).__name__])[0][:200]}"
    )
    return ReadError("path", source.path, reason, "check that it is a complete Parquet file")


CONNECTOR = ParquetConnector()
