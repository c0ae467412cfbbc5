"""Rows of a timetable's files that cannot be used: collected, and refused together."""

from dataclasses import dataclass, field

import polars as pl

from deepcity.data.errors import ReadError
from deepcity.data.findings import rows_text
from deepcity.data.observations import Seen

ROW = "row"
"""The column that holds a row's number in its file."""
_KINDS = 12  # reasons that a message lists


@dataclass
class BadRows:
    """What is wrong with the rows of a feed.

    Attributes:
        path: as the city file names the feed.
        drop: whether the city file asks to leave such rows out.
    """

    path: str
    drop: bool
    _seen: dict[tuple[str, str, str], Seen] = field(default_factory=dict)
    _shown: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def without(
        self, frame: pl.DataFrame, file: str, column: str, bad: pl.Expr, reason: str
    ) -> pl.DataFrame:
        """The rows that are not `bad` (null counts as bad); the others are noted.

        Args:
            frame: with the column `ROW`.
            column: what is wrong in them, shown as text.
        """
        is_bad = frame.select(bad.fill_null(value=True).alias("bad"))["bad"]
        found = frame.filter(is_bad)
        if found.height:
            key = (file, column, reason)
            self._shown.setdefault(key, str(found[column][0] or "")[:60])
            rows = found[ROW].head(10).to_list()
            self._seen.setdefault(key, Seen()).add(found.height, rows)
        return frame.filter(~is_bad)

    def refuse(self) -> None:
        """Report all of them.

        Raises:
            ReadError: if there are any, and they are not to be left out.
        """
        if self.drop or not self._seen:
            return
        texts = [
            f"{file}, {_rows(seen)}: {column} = {self._shown[file, column, reason]!r} {reason}"
            for (file, column, reason), seen in self._seen.items()
        ]
        more = f"; and {len(texts) - _KINDS} more reasons" if len(texts) > _KINDS else ""
        right = "correct these rows, or set broken_rows = 'drop' to leave them out"
        raise ReadError("path", self.path, "; ".join(texts[:_KINDS]) + more, right)


def _rows(seen: Seen) -> str:
    if seen.count <= len(seen.rows):
        return rows_text(seen.rows)
    return f"rows {', '.join(map(str, seen.rows))} and {seen.count - len(seen.rows):,} more"
