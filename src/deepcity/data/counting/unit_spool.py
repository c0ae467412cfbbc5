"""Rows of units while a table is read: in memory while they are few, else on disk in parts.

All rows of a unit are in one part, so that a part can be counted by itself. What lies on disk are
digests under a secret that is never written down, and cells.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np

from deepcity.data.tables.disk_space import report_full_disk
from deepcity.data.tables.spool import Rows

MOST_IN_MEMORY = 2_000_000
"""Rows: 50 MB, and some four times that while a part is counted."""
PARTS = 64


class UnitSpool:
    """Collects rows with the fields `unit`, by which they are parted, and others.

    A context manager that removes its files.
    """

    def __init__(self, most_in_memory: int = MOST_IN_MEMORY) -> None:
        self._most, self._count = most_in_memory, 0
        self._in_memory: list[Rows] = []
        self._dtype: np.dtype[np.void] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def add(self, rows: Rows) -> None:
        """Add rows.

        Raises:
            ReadError: if no disk space is left for them.
        """
        self._in_memory.append(rows)
        self._count += len(rows)
        self._dtype = rows.dtype
        if self._count > self._most:
            self._flush()

    def parts(self) -> Iterator[Rows]:
        """All rows, part by part; no rows may be added after the first."""
        if self._folder is None:
            yield from [np.concatenate(self._in_memory)] if self._in_memory else []
            return
        self._flush()
        assert self._dtype is not None
        for file in sorted(Path(self._folder.name).iterdir()):
            yield np.fromfile(file, dtype=self._dtype)

    def _flush(self) -> None:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="deepcity-")
        rows = np.concatenate(self._in_memory)
        part_R = rows["unit"] % PARTS
        with report_full_disk():
            for part in np.unique(part_R).tolist():
                with (Path(self._folder.name) / f"{part:02d}").open("ab") as file:
                    rows[part_R == part].tofile(file)
        self._in_memory, self._count = [], 0
