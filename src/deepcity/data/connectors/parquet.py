"""Parquet: a file, with the column types it carries."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import polars as pl

from deepcity.data.connectors import ReadError, Table, batches_of
from deepcity.data.location import LocationError, locate
from deepcity.data.source import SourceSettings


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
            yield from batches_of(pl.scan_parquet(path).select(columns), 1)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise _broken(source, error) from error

    def columns(self, source: ParquetSettings, folder: Path) -> list[str]:
        """Names of the columns, from the file's footer."""
        path = _file(source, folder)
        try:
            return list(pl.read_parquet_schema(path))
        except (pl.exceptions.PolarsError, OSError) as error:
            raise _broken(source, error) from error


def _file(source: ParquetSettings, folder: Path) -> Path:
    try:
        return locate(source.path, folder)
    except LocationError as error:
        raise ReadError("path", source.path, str(error), error.right) from error


def _broken(source: ParquetSettings, error: Exception) -> ReadError:
    reason = f"cannot be read: {str(error).strip().splitlines()[0][:200]}"
    return ReadError("path", source.path, reason, "see that it is a whole Parquet file")


CONNECTOR = ParquetConnector()
