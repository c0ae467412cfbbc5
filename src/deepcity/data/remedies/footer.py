"""`skip_footer`: rows at the end of a table that are notes or totals, and no records."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from deepcity.city.problem import Trial
from deepcity.data.connectors import read_batches, read_columns
from deepcity.data.errors import ReadError
from deepcity.data.remedies import Remedy
from deepcity.data.remedies.table_read import TableRead

TOTAL = re.compile(
    r"\s*(합\s*계|총\s*계|소\s*계|총\s*합|계|전체|(grand |sub)?total|all|sum|summe|(ins)?gesamt)"
    r"\s*([(\[].*[)\]])?\s*",
    re.IGNORECASE,
)
FEW = 3  # rows too few to tell
_FOOTNOTES = 10  # rows at most
_TAIL = 60  # rows in which they are looked for
_SHOWN = 40  # signs of a note


@dataclass(frozen=True)
class UnreadRows(TableRead):
    """Rows that could not be read, of a source that states no footer."""

    @cached_property
    def tail(self) -> pl.DataFrame:
        """The last rows, with all columns."""
        tail = pl.DataFrame()
        try:
            for table in read_batches(
                self.source, self.folder, read_columns(self.source, self.folder)
            ):
                both = pl.concat([tail, table.frame.tail(_TAIL)]) if tail.width else table.frame
                tail = both.tail(_TAIL)
        except ReadError:
            return pl.DataFrame()
        return tail

    @cached_property
    def trial(self) -> Trial | None:
        """What leaving out the footer gives; None where there is none, or rows stay unread."""
        rows, time = footnotes(self.tail), self.source.time
        if not rows or time is None or " + ".join(time.names) in self.left_with(rows):
            return None
        cells = (cell.strip() for cell in self.tail.row(-rows) if isinstance(cell, str))
        first = next(cell for cell in cells if cell)
        shown = first[:_SHOWN] + ("..." if len(first) > _SHOWN else "")
        what = f"the last row, {shown!r}, is no record"
        if rows > 1:
            what = f"the last {rows} rows, from {shown!r} on, are no records"
        return Trial(f"skip_footer = {rows}", True, what)

    def left_with(self, rows: int) -> list[str]:
        """The keys of problems that are left if so many rows at the end are no records."""
        source = self.source.model_copy(update={"skip_footer": rows})
        _, issues = self.read(source, whole=True)
        return [problem.key for problem in issues.problems]


def footnotes(frame: pl.DataFrame) -> int:
    """How many rows at the end are notes, totals or empty, and no records."""
    texts = frame.select(pl.selectors.string())
    if texts.width < 2 or frame.height < FEW:
        return 0
    full = [
        [cell.strip() for cell in row if cell and cell.strip()] for row in texts.tail(50).rows()
    ]
    usual = Counter(len(row) for row in full).most_common(1)[0][0]
    count = 0
    for number, row in enumerate(full[: -_FOOTNOTES - 1 : -1], 1):
        note = len(row) == 1 < usual and re.search(r"[^\W\d_]", row[0]) is not None
        if note or (row and TOTAL.fullmatch(row[0])):
            count = number
        elif row:
            break
    return count


def _attempt(evidence: UnreadRows) -> Trial | None:
    return evidence.trial


REMEDIES = (Remedy("skip-footer", UnreadRows, _attempt),)
