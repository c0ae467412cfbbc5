"""Reads a table of any size, and tells of each row its cell and whose it is.

Shapes: R rows of a batch, K cells: areas x bins, the bin running fastest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import ValidationError

from deepcity.city.arrays import Ints
from deepcity.data.config.time_settings import Ambiguous, Nonexistent, TimeSettings
from deepcity.data.config.toml_file import did_you_mean
from deepcity.data.connectors import read_columns
from deepcity.data.counting.public_areas import PublicAreas, texts
from deepcity.data.counting.table_source import source_of
from deepcity.data.counting.time_bins import TimeBins
from deepcity.data.errors import ReadError
from deepcity.data.findings import IssueLog
from deepcity.data.sheet import Sheet
from deepcity.data.tables.batches import SourceContext, sheets
from deepcity.data.timestamps.dst import NO_TIME
from deepcity.data.timestamps.parse import utc_times


@dataclass(frozen=True)
class TableColumns:
    """Which columns are read, by the option that names each.

    Attributes:
        areas: of the area.
        time: of the time; two or more are joined, as a date and an hour.
        unit: of the unit; None: each row is one.
        time_format: strptime pattern; None: it is detected.
    """

    areas: tuple[str, ...]
    time: tuple[str, ...]
    unit: str | None = None
    time_format: str | None = None

    @property
    def named(self) -> dict[str, str]:
        """Column -> option."""
        found = dict.fromkeys(self.areas, "by") | dict.fromkeys(self.time, "time")
        return found if self.unit is None else found | {self.unit: "unit"}


@dataclass(frozen=True)
class CellRows:
    """Rows of a batch that lie in a cell.

    Attributes:
        cell_R: of each row.
        unit_R: texts of their units, (R,); None: each row is one.
        outside: how many other rows the batch has, in no listed area or time.
    """

    cell_R: Ints
    unit_R: pl.Series | None
    outside: int


def cell_rows(
    path: Path, columns: TableColumns, areas: PublicAreas, bins: TimeBins, issues: IssueLog
) -> Iterator[CellRows]:
    """The rows of a table, in batches; problems are collected, and rows go on being read.

    Raises:
        ReadError: if the table cannot be read.
    """
    source = source_of(path, "path")
    if _absent(columns, read_columns(source, path.parent), issues):
        return
    context = SourceContext(source, path.parent, _time(columns), bins.zone)
    for sheet in sheets(context, list(columns.named), issues, read_past_problems=True):
        found = _rows(sheet, columns, areas, bins)
        if found is not None:
            yield found


def _time(columns: TableColumns) -> TimeSettings:
    """An hour that clocks show twice counts for the earlier, one that they skip goes on."""
    named = {"column": columns.time[0]} if len(columns.time) == 1 else {"columns": columns.time}
    try:
        return TimeSettings.model_validate(
            named
            | {
                "format": columns.time_format,
                "ambiguous": Ambiguous.EARLIER,
                "nonexistent": Nonexistent.SHIFT,
            }
        )
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise ReadError("time", columns.time, reason, "name columns of the table") from error


def _absent(columns: TableColumns, known: list[str], issues: IssueLog) -> bool:
    found = {name: option for name, option in columns.named.items() if name not in known}
    for name, option in found.items():
        issues.no_column(option, name, did_you_mean(name, known))
    return bool(found)


def _rows(
    sheet: Sheet, columns: TableColumns, areas: PublicAreas, bins: TimeBins
) -> CellRows | None:
    """A batch's rows; None where problems were found."""
    unit_R = None if columns.unit is None else texts(sheet.frame.select(columns.unit)).to_series()
    if unit_R is not None:
        _check_units(unit_R, sheet)
    utc_R = utc_times(sheet)
    if utc_R is None or sheet.issues.problems:
        return None
    area_R, listed_R = areas.positions(sheet.frame)
    bin_R, timely_R = bins.of(utc_R)
    inside_R: NDArray[np.bool_] = listed_R & timely_R & (utc_R != NO_TIME)
    cell_R = area_R[inside_R] * bins.count + bin_R[inside_R]
    units = None if unit_R is None else unit_R.filter(pl.Series(inside_R))
    return CellRows(cell_R, units, int((~inside_R).sum()))


def _check_units(unit_R: pl.Series, sheet: Sheet) -> None:
    """Rows of nobody would be one unit together, or each its own: neither is known."""
    blank = np.flatnonzero((unit_R.is_null() | (unit_R == "")).fill_null(True).to_numpy())
    if len(blank):
        reason = f"blank ({sheet.rows_text(blank)})"
        right = "fill it in or remove these rows: whose they are bounds what is counted"
        sheet.issues.problem("unit", unit_R.name, reason, right)
