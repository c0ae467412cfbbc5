"""Long tables (one row per time and place), read in batches and resampled to the clock's step.

Shapes: R rows, T times, N places, F fields of this source.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from deepcity.city.arrays import Doubles, Ints
from deepcity.city.clock import Clock
from deepcity.city.field import Resample
from deepcity.data.config.settings import FieldSettings, PlaceSettings
from deepcity.data.config.toml_file import did_you_mean
from deepcity.data.findings import NO_ROWS, IssueLog
from deepcity.data.places.place_ids import place_id, place_ids, place_numbers
from deepcity.data.sheet import Sheet
from deepcity.data.tables.batches import (
    SourceContext,
    check_columns,
    needed_columns,
    sheets,
    value_column,
)
from deepcity.data.tables.records import Records, resample_rule
from deepcity.data.tables.spool import Rows, Spool, pack_rows
from deepcity.data.tables.time_merge import RowMerger, merge_spooled_rows
from deepcity.data.tables.totals import total_columns
from deepcity.data.tables.unique_rows import UniqueRows
from deepcity.data.tables.values import read_values, rows_of
from deepcity.data.timestamps.parse import raw_times
from deepcity.data.timestamps.resample import Grid, rows_onto_grid


def read_long(
    context: SourceContext,
    *,
    fields: Sequence[FieldSettings],
    places: Sequence[PlaceSettings],
    clock: Clock,
    issues: IssueLog,
) -> Records | None:
    """A long table's values of some fields and places, or None where problems were found.

    Raises:
        ReadError: if the rows cannot be read.
    """
    needed = needed_columns(context, fields)
    if check_columns(context, needed, issues):
        return None
    number = {place.key: n for n, place in enumerate(places)}
    before = len(issues.problems)
    with Spool() as spool:
        wall = _fill(spool, context, list(needed), number, fields, issues)
        if len(issues.problems) > before:
            return None
        row_merger = _row_merger(
            [resample_rule(field, context.source) for field in fields], len(places)
        )
        return merge_spooled_rows(
            spool,
            spool.blocks,
            context,
            row_merger,
            clock,
            issues,
            wall=wall,
            totals=total_columns(fields),
        )


def _fill(
    spool: Spool,
    context: SourceContext,
    columns: Sequence[str],
    number: dict[str, int],
    fields: Sequence[FieldSettings],
    issues: IssueLog,
) -> bool:
    """Spool all rows of the agency's places; returns whether their times are wall-clock times."""
    seen: set[str] = set()
    wall, before = False, len(issues.problems)
    for sheet in sheets(context, columns, issues, read_past_problems=True):
        names = place_ids(sheet.frame[context.source.place or ""])
        seen.update(name for name in names.unique().to_list() if name is not None)
        found = _packed(sheet, names, number, fields)
        if found is not None:
            wall = found[1]
            spool.add(found[0])
    absent = [name for name in number if place_id(name) not in seen]
    whole = context.max_rows is None  # else other places may come in the rest
    if context.source.is_feed:
        _note_waiting(absent, number, issues)
        absent = []
    for name in absent if whole and len(issues.problems) == before else ():
        right = did_you_mean(name, sorted(seen))
        issues.problem("places", name, "no rows for this place", right, cause=NO_ROWS)
    return wall


def _note_waiting(absent: Sequence[str], places: Collection[str], issues: IssueLog) -> None:
    """Places whose first row is still to come; reports if that is so of all."""
    if absent and len(absent) == len(places):
        right = "see that the sender names places as the city file does"
        issues.problem("places", absent[0], "no row of any place of the agency has come", right)
    elif absent:
        shown = f"{', '.join(absent[:5])}{' ...' if len(absent) > 5 else ''}"
        text = f"no row has come yet of {len(absent):,} of {len(places):,} places ({shown})"
        issues.note("waiting-places", "places", len(absent), text)


def _packed(
    sheet: Sheet, names: pl.Series, number: dict[str, int], fields: Sequence[FieldSettings]
) -> tuple[Rows, bool] | None:
    """A sheet's rows of the agency's places, and whether times are wall-clock times.

    Rows of other places are left out with a note. So are, without one, rows that no field
    wants by its `where`: they are neither gaps nor a second row for their time.
    """
    place_R = place_numbers(names, number)
    others = int((place_R < 0).sum())
    if others:
        sheet.issues.note(
            "other-places", "rows", others, f"{others:,} rows of other places left out"
        )
    sheet = replace(sheet, place_R=place_R).keep(place_R >= 0)
    if fields and all(field.where for field in fields) and len(sheet.rows_R):
        sheet = sheet.keep(np.any([rows_of(sheet, field) for field in fields], axis=0))
    if not len(sheet.rows_R):
        return None
    raw = raw_times(sheet)
    values_RF = np.full((len(sheet.rows_R), len(fields)), np.nan)
    for f, field in enumerate(fields):
        values_RF[:, f] = read_values(sheet, value_column(sheet.source, field), field)
    if raw is None:
        return None
    return pack_rows(raw.seconds_R, sheet.place_R, sheet.rows_R, values_RF), raw.wall


def _row_merger(rules: Sequence[Resample], places: int) -> RowMerger:
    """How rows of a long table become values; steps without rows are kept, as NaN."""

    def to_grid(rows: UniqueRows, expected: int, grid: Grid) -> tuple[Ints, Doubles]:
        return grid.time_T, rows_onto_grid(
            rows.time_R, rows.place_R, rows.values_RF, places, expected, rules, grid
        )

    def unmerged(rows: UniqueRows) -> tuple[Ints, Doubles]:
        time_T, at_R = np.unique(rows.time_R, return_inverse=True)
        values_TNF = np.full((len(time_T), places, len(rules)), np.nan)
        values_TNF[at_R, rows.place_R] = rows.values_RF
        return time_T, values_TNF

    return RowMerger(to_grid, unmerged)
