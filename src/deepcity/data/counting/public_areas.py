"""The areas that are counted, from a list that is public: never from the table itself.

Which areas occur in a table depends on who is in it; a list that is known anyway does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from deepcity.city.arrays import Bools, Ints
from deepcity.data.config.toml_file import did_you_mean
from deepcity.data.connectors import read_batches, read_columns
from deepcity.data.counting.table_source import source_of
from deepcity.data.errors import ReadError
from deepcity.data.findings import IssueLog

_POSITION = "\x00position"


@dataclass(frozen=True)
class PublicAreas:
    """Areas by their columns, in the order of the list.

    Attributes:
        columns: as in the list and in the table.
        keys: the texts of each area.
    """

    columns: tuple[str, ...]
    keys: tuple[tuple[str, ...], ...]

    def positions(self, frame: pl.DataFrame) -> tuple[Ints, Bools]:
        """The area of each row of a table, and whether it is in the list."""
        names = list(self.columns)
        known = pl.DataFrame(self.keys, schema=dict.fromkeys(names, pl.String), orient="row")
        known = known.with_row_index(_POSITION)
        found = texts(frame.select(names)).join(known, on=names, how="left", maintain_order="left")[
            _POSITION
        ]
        inside_R = found.is_not_null().to_numpy()
        return found.fill_null(0).to_numpy().astype(np.int64), inside_R


def texts(frame: pl.DataFrame) -> pl.DataFrame:
    """Cells as texts without blanks around them."""
    return frame.select(pl.all().cast(pl.String).str.strip_chars())


def read_areas(path: Path, columns: Sequence[str], most: int, issues: IssueLog) -> PublicAreas:
    """Read the list; problems are collected, and what is returned counts only without any.

    Args:
        most: areas that are read.
    """
    none = PublicAreas(tuple(columns), ())
    try:
        source = source_of(path, "areas")
        if _absent(columns, read_columns(source, path.parent), issues):
            return none
        frames = [texts(one.frame) for one in read_batches(source, path.parent, columns)]
    except ReadError as error:
        issues.problem("areas", error.value, error.reason, error.right)
        return none
    frame = pl.concat([one.select(list(columns)) for one in frames]) if frames else None
    if frame is None or not frame.height:
        issues.problem("areas", path.name, "it lists no area", "write one a line under the header")
        return none
    _check(frame, path, most, issues)
    return PublicAreas(tuple(columns), tuple(frame.unique(maintain_order=True).rows()))


def _absent(columns: Sequence[str], known: Sequence[str], issues: IssueLog) -> list[str]:
    found = [name for name in columns if name not in known]
    for name in found:
        issues.problem(
            "areas", name, "the list has no such column", did_you_mean(name, list(known))
        )
    return found


def _check(frame: pl.DataFrame, path: Path, most: int, issues: IssueLog) -> None:
    blank = frame.filter(pl.any_horizontal(pl.all().is_null() | (pl.all() == ""))).height
    if blank:
        issues.problem("areas", path.name, f"{blank} of its rows have a blank", "fill them in")
    if frame.height > most:
        reason = f"{frame.height:,} areas in these times are over {most:,}"
        issues.problem("areas", path.name, reason, "count larger areas, or fewer or longer times")
