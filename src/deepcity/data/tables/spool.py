"""A spool of packed rows: in memory while they are few, else on disk; read in blocks of time.

Shapes: R rows, F fields.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Doubles, Ints
from deepcity.city.clock import DAY_S
from deepcity.data.tables.disk_space import report_full_disk

MAX_ROWS_IN_MEMORY = 1_000_000  # about 30 MB, and ten times that while they are sorted and merged
MAX_BYTES_IN_MEMORY = 40_000_000  # the limit for wide rows
NOON_S = DAY_S // 2
Rows = NDArray[np.void]


def pack_rows(
    seconds_R: Ints,
    place_R: Ints,
    row_R: Ints,
    values_RF: Doubles,
) -> Rows:
    """Rows with the fields `time`, `place`, `row` and `values`."""
    row_dtype = [
        ("time", "i8"),
        ("row", "i8"),
        ("place", "i8"),
        ("values", "f8", values_RF.shape[1:]),
    ]
    rows = np.empty(len(seconds_R), dtype=np.dtype(row_dtype))
    rows["time"], rows["row"] = seconds_R, row_R
    rows["place"], rows["values"] = place_R, values_RF
    return rows


class Spool:
    """Collects rows in any order of time; a context manager that removes its files."""

    def __init__(self) -> None:
        self._in_memory: list[Rows] = []
        self._row_dtype: np.dtype[np.void] | None = None
        self._rows_in_memory = 0
        self._count = 0
        self._span = (np.iinfo(np.int64).max, np.iinfo(np.int64).min)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._file: BinaryIO | None = None
        self._blocks: list[int] = []

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last time; the first is greater if there are no rows."""
        return self._span

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
        if self._folder is not None:
            self._folder.cleanup()

    def add(self, rows: Rows) -> None:
        """Add rows; their times may count from any origin, but all from the same.

        Raises:
            ReadError: if no disk space is left for them.
        """
        if not len(rows):
            return
        self._in_memory.append(rows)
        self._row_dtype = rows.dtype
        self._rows_in_memory += len(rows)
        self._count += len(rows)
        times = rows["time"]
        self._span = (min(self._span[0], int(times.min())), max(self._span[1], int(times.max())))
        if self._rows_in_memory > _max_rows_in_memory(rows.dtype):
            self._flush()

    def _flush(self) -> None:
        if self._file is None:
            self._folder = tempfile.TemporaryDirectory(prefix="deepcity-")
            self._file = (Path(self._folder.name) / "rows").open("w+b")
        with report_full_disk():
            for rows in self._in_memory:
                rows.tofile(self._file)
            self._file.flush()
        self._in_memory, self._rows_in_memory = [], 0

    def blocks(self) -> Iterator[Rows]:
        """All rows, in consecutive blocks of time; within a block in the order they were added.

        Blocks begin at noon, when no zone changes its clock. May be called again, but no rows
        may be added after the first call.
        """
        if self._file is None or self._row_dtype is None:
            yield from [np.concatenate(self._in_memory)] if self._in_memory else []
            return
        self._flush()
        assert self._folder is not None
        folder = Path(self._folder.name)
        if not self._blocks:
            self._blocks = sorted(self._divide(folder, self._row_dtype))
        for number in self._blocks:
            yield np.fromfile(folder / str(number), dtype=self._row_dtype)

    def _divide(self, folder: Path, row_dtype: np.dtype[np.void]) -> set[int]:
        """Append each row to its block's file; the numbers of blocks that have rows."""
        assert self._file is not None
        first = (self._span[0] - NOON_S) // DAY_S * DAY_S + NOON_S
        days = -(-(self._span[1] - first + 1) // DAY_S)
        max_rows = _max_rows_in_memory(row_dtype)
        block_s = max(1, days * max_rows // self._count) * DAY_S
        numbers: set[int] = set()
        self._file.seek(0)
        while len(rows := np.fromfile(self._file, dtype=row_dtype, count=max_rows)):
            block_R = (rows["time"] - first) // block_s
            for number in np.unique(block_R).tolist():
                numbers.add(number)
                with report_full_disk(), (folder / str(number)).open("ab") as file:
                    rows[block_R == number].tofile(file)
        return numbers


def _max_rows_in_memory(row_dtype: np.dtype[np.void]) -> int:
    return max(1, min(MAX_ROWS_IN_MEMORY, MAX_BYTES_IN_MEMORY // row_dtype.itemsize))
