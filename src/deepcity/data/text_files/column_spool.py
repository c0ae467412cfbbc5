"""A table too large for memory that comes column by column: strips on disk, given back in rows.

Some files hold a column in one piece (a Parquet file of one row group, a table whose rows are
to become columns). Each strip of columns is written to a temporary file as it comes; batches
of rows are then put together across all strips.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import polars as pl

from deepcity.data.tables.disk_space import report_full_disk


class ColumnSpool:
    """Takes strips of equally many rows; a context that leaves no file behind.

    Args:
        max_rows: how many rows are to be given back at a time; they lie together in the files.
    """

    def __init__(self, max_rows: int) -> None:
        self.max_rows = max_rows
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._files: list[Path] = []

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="deepcity-")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._folder is not None
        self._folder.cleanup()

    def add(self, columns: pl.DataFrame | pl.LazyFrame) -> None:
        """Take the next columns.

        Raises:
            ReadError: if there is no room for them.
            PolarsError, OSError: if they cannot be read.
        """
        assert self._folder is not None
        path = Path(self._folder.name) / str(len(self._files))
        with report_full_disk():
            columns.lazy().sink_ipc(path, maintain_order=True, record_batch_size=self.max_rows)
        self._files.append(path)

    def rows(self) -> Iterator[pl.DataFrame]:
        """All columns, some rows at a time, in order."""
        start = 0
        while self._files:
            parts = [
                pl.scan_ipc(path).slice(start, self.max_rows).collect() for path in self._files
            ]
            frame = pl.concat(parts, how="horizontal")
            if not frame.height:
                return
            yield frame
            start += frame.height
