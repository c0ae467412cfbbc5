"""A CSV table on its side, a row a place and a column a time: read row by row, given back turned.

A reader of columns would hold as many pieces at once as a row has cells.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

import polars as pl

from deepcity.data.encodings.scan import open_bytes
from deepcity.data.errors import ReadError
from deepcity.data.text_files.column_spool import ColumnSpool

MAX_CELLS_IN_MEMORY = 2_000_000  # before they go to disk


@dataclass(frozen=True)
class TransposedCsv:
    """A file whose rows are to become columns.

    Attributes:
        path: of the file; may be gzip.
        delimiter: sign between cells.
        lossy: puts up with stray bytes.
        skip_rows: lines to leave out at its beginning.
        header: whether the first cell of each row is its name.
    """

    path: Path
    delimiter: str
    lossy: bool
    skip_rows: int
    header: bool

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row's line number and cells; rows are as long as the first, empty lines none.

        Raises:
            ReadError: at a row longer than the first.
            csv.Error, OSError, UnicodeDecodeError, EOFError: if it is no such file.
        """
        width, errors = 0, "replace" if self.lossy else "strict"
        with (
            open_bytes(self.path) as raw,
            TextIOWrapper(raw, encoding="utf-8-sig", errors=errors, newline="") as file,
        ):
            for _ in range(self.skip_rows):
                file.readline()
            reader = csv.reader(file, delimiter=self.delimiter, strict=True)
            for cells in reader:
                line = reader.line_num + self.skip_rows
                if not cells and width != 1:  # in a table of one column an empty line is a value
                    continue
                width = width or len(cells)
                if len(cells) > width:
                    reason = f"line {line} has {len(cells)} cells, the first row {width}"
                    raise ReadError("path", self.path.name, reason, "check it, and the delimiter")
                yield line, cells + [""] * (width - len(cells))

    def names(self) -> list[str]:
        """The first cell of each row; of the first row it may be empty.

        Raises:
            ReadError: if a later one is, or two are the same, or there is no row.
        """
        found: dict[str, int] = {}
        for line, cells in self.rows():
            if found and not cells[0]:
                reason = f"line {line} begins with an empty cell"
                raise ReadError("path", self.path.name, reason, "name what the row is of")
            if cells[0] in found:
                reason = f"lines {found[cells[0]]} and {line} both begin with {cells[0]!r}"
                raise ReadError("path", self.path.name, reason, "rename one of them")
            found[cells[0]] = line
        if not found:
            raise ReadError("path", self.path.name, "no row in it", "see that it is the right file")
        return list(found)

    def transposed(
        self, wanted: Iterable[str], max_rows: int, name_of: Callable[[int, str], str]
    ) -> Iterator[pl.DataFrame]:
        """Some rows as columns, `max_rows` cells of each at a time, every cell a text.

        Args:
            wanted: names of rows, in the order to give them back.
            max_rows: how many rows a frame has at most.
            name_of: a row's name by its number from 0 and its first cell.
        """
        names = list(dict.fromkeys(wanted))
        requested, first = set(names), int(self.header)
        pending: list[pl.Series] = []
        with ColumnSpool(max_rows) as column_spool:
            for number, (_, cells) in enumerate(self.rows()):
                name = name_of(number, cells[0])
                if name in requested:
                    texts = [cell or None for cell in cells[first:]]
                    pending.append(pl.Series(name, texts, dtype=pl.String))
                if len(pending) * len(cells) >= MAX_CELLS_IN_MEMORY:
                    column_spool.add(pl.DataFrame({one.name: one for one in pending}))
                    pending = []
            if pending:
                column_spool.add(pl.DataFrame({one.name: one for one in pending}))
            for frame in column_spool.rows():
                yield frame.select(names)
