"""Counts of a table's units in public cells, each unit bounded; in bounded memory.

Shapes: K cells.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deepcity.city.arrays import Ints
from deepcity.city.errors import DataError
from deepcity.data.counting.public_areas import PublicAreas
from deepcity.data.counting.time_bins import TimeBins
from deepcity.data.counting.unit_spool import MOST_IN_MEMORY, UnitSpool
from deepcity.data.counting.unit_table import CellRows, TableColumns, cell_rows
from deepcity.data.errors import ReadError
from deepcity.data.findings import IssueLog

UNIT_ROW = np.dtype([("unit", "u8"), ("more", "u8"), ("cell", "i8")])
"""128 bits of a unit's digest in two parts, and a cell."""

Bound = Callable[[NDArray[np.void], int], Ints]
"""Rows of `UNIT_ROW` with all of those of their units, and K, to bounded counts, (K,)."""


@dataclass(frozen=True)
class TableCounts:
    """What was counted; true counts, which do not leave as they are.

    Attributes:
        count_K: of each public cell.
        rows: of the table.
        outside: of these, in no listed area or time.
    """

    count_K: Ints
    rows: int
    outside: int


def count_table(
    path: Path,
    columns: TableColumns,
    areas: PublicAreas,
    bins: TimeBins,
    *,
    bound: Bound,
    seeds: Sequence[int],
    most_in_memory: int = MOST_IN_MEMORY,
) -> TableCounts:
    """Count a table's rows, or its units where a column of them is named.

    Args:
        bound: bounds what one unit is counted for.
        seeds: two secrets of 64 bits, by which a unit's text is digested.

    Raises:
        DataError: with every problem of the table.
    """
    issues, cells = IssueLog(path.name), len(areas.keys) * bins.count
    count_K, rows, outside = np.zeros(cells, np.int64), 0, 0
    with UnitSpool(most_in_memory) as spool:
        try:
            for batch in cell_rows(path, columns, areas, bins, issues):
                rows, outside = rows + len(batch.cell_R) + batch.outside, outside + batch.outside
                if batch.unit_R is None:
                    count_K += np.bincount(batch.cell_R, minlength=cells)
                else:
                    spool.add(_unit_rows(batch, batch.unit_R, seeds))
            if not issues.problems:
                for part in spool.parts():
                    count_K += bound(part, cells)
        except ReadError as error:
            issues.unreadable(error)
    if issues.problems:
        raise DataError(issues.problems)
    return TableCounts(count_K, rows, outside)


def _unit_rows(batch: CellRows, unit_R: pl.Series, seeds: Sequence[int]) -> NDArray[np.void]:
    found = np.empty(len(unit_R), UNIT_ROW)
    found["unit"] = unit_R.hash(seeds[0]).to_numpy()
    found["more"] = unit_R.hash(seeds[1]).to_numpy()
    found["cell"] = batch.cell_R
    return found
