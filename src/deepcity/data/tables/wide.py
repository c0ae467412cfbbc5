"""Wide tables (one row per time, one column per place), read in batches like long ones.

Shapes: R rows, T times, N places, F fields of this source, K = F x N columns.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from deepcity.city.arrays import Doubles, Ints
from deepcity.city.clock import Clock
from deepcity.city.field import Resample
from deepcity.data.config.settings import FieldSettings, PlaceSettings
from deepcity.data.config.source import SourceSettings
from deepcity.data.config.time_settings import VALUE
from deepcity.data.findings import FILE_ROWS, IssueLog, rows_text
from deepcity.data.sheet import Sheet
from deepcity.data.tables.batches import SourceContext, check_columns, sheets
from deepcity.data.tables.hour_rows import hours_of
from deepcity.data.tables.records import Records, resample_rule
from deepcity.data.tables.spool import Rows, Spool, pack_rows
from deepcity.data.tables.time_merge import RowMerger, check_times, merge_spooled_rows
from deepcity.data.tables.totals import total_columns
from deepcity.data.tables.unique_rows import UniqueRows
from deepcity.data.tables.values import read_values
from deepcity.data.timestamps.parse import raw_times
from deepcity.data.timestamps.resample import Grid, onto_steps


def read_wide(
    context: SourceContext,
    *,
    fields: Sequence[FieldSettings],
    places: Sequence[PlaceSettings],
    clock: Clock,
    issues: IssueLog,
) -> Records | None:
    """A wide table's values of some fields and places, or None where problems were found.

    Raises:
        ReadError: if the rows cannot be read.
    """
    before = len(issues.problems)
    needed = dict.fromkeys(context.time.names, "time")
    for field in fields:
        needed |= dict.fromkeys(field.where, "where")
        needed |= dict.fromkeys(
            (_column(context.source, field, place) for place in places), "column"
        )
    absent = check_columns(context, needed, issues)
    available = [name for name in needed if name not in absent]
    with Spool() as spool:
        wall = _fill(spool, context, available, fields, places, issues) if available else None
        if len(issues.problems) > before:
            if wall is not None:
                check_times(spool.blocks(), context, issues, wall=wall)
            return None
        assert wall is not None
        row_merger = _row_merger(
            [resample_rule(field, context.source) for field in fields], len(places)
        )

        def blocks() -> Iterable[Rows]:
            return _in_order(spool.blocks(), context, issues)

        return merge_spooled_rows(
            spool,
            blocks,
            context,
            row_merger,
            clock,
            issues,
            wall=wall,
            totals=total_columns(fields, len(places)),
        )


def column_of(field: FieldSettings, place: PlaceSettings) -> str:
    """The column of a wide table that holds a field at a place."""
    if field.column is None:
        return place.key
    return field.column.replace("{place}", place.key)


def _column(source: SourceSettings, field: FieldSettings, place: PlaceSettings) -> str:
    """The column that is read for a field at a place."""
    return VALUE if hours_of(source) is not None else column_of(field, place)


def _fill(
    spool: Spool,
    context: SourceContext,
    columns: Sequence[str],
    fields: Sequence[FieldSettings],
    places: Sequence[PlaceSettings],
    issues: IssueLog,
) -> bool | None:
    """Spool all rows; returns whether times are wall-clock times, None if some are invalid."""
    walls: set[bool | None] = set()
    count = 0
    for sheet in sheets(context, columns, issues, read_past_problems=True):
        count += len(sheet.rows_R)
        found = _packed(sheet, fields, places)
        sheet.issues.findings = list(dict.fromkeys(sheet.issues.findings))  # each place repeats it
        walls.add(None if found is None else found[1])
        if found is not None:
            spool.add(found[0])
    # That no row matches `where` is reported only if it is so in all batches.
    issues.findings = [f for f in issues.findings if f.what != "where" or f.count == count]
    return None if None in walls else True in walls


def _packed(
    sheet: Sheet, fields: Sequence[FieldSettings], places: Sequence[PlaceSettings]
) -> tuple[Rows, bool] | None:
    """A sheet's rows, and whether times are wall-clock times; None if times are invalid.

    Values are in the order: all places of the first field, then of the next.
    """
    available = set(sheet.frame.columns)
    raw = raw_times(sheet) if set(sheet.time.names) <= available else None
    names = [(_column(sheet.source, field, place), field) for field in fields for place in places]
    values_RK = np.full((len(sheet.rows_R), len(names)), np.nan)
    for k, (name, field) in enumerate(names):
        if (
            name in available and set(field.where) <= available
        ):  # missing columns are reported already
            values_RK[:, k] = read_values(sheet, name, field)
    if raw is None:
        return None
    return pack_rows(raw.seconds_R, sheet.place_R, sheet.rows_R, values_RK), raw.wall


def _in_order(blocks: Iterable[Rows], context: SourceContext, issues: IssueLog) -> Iterable[Rows]:
    """The same blocks; warns of rows that come after rows of a later block in the file."""
    last_F = np.full(max(1, len(context.files)), -1)  # of each file
    for rows in blocks:
        row_R = rows["row"]
        early = row_R[row_R < last_F[row_R // FILE_ROWS]]
        if len(early):
            shown = rows_text(np.sort(early), context.source.row_noun, context.files)
            text = f"times are not in order; rows were sorted (earlier than a row above: {shown})"
            issues.warn("unsorted", "time", len(early), text)
        np.maximum.at(last_F, row_R // FILE_ROWS, row_R)
        yield rows


def _row_merger(rules: Sequence[Resample], places: int) -> RowMerger:
    """How rows of a wide table, each with all places, become values; empty steps are omitted."""

    def to_grid(rows: UniqueRows, expected: int, grid: Grid) -> tuple[Ints, Doubles]:
        values_RFN = by_field(rows)
        time_T, values_TFN = onto_steps(rows.time_R, values_RFN, expected, rules, grid)
        return time_T, values_TFN.transpose(0, 2, 1)

    def unmerged(rows: UniqueRows) -> tuple[Ints, Doubles]:
        return rows.time_R, by_field(rows).transpose(0, 2, 1)

    def by_field(rows: UniqueRows) -> Doubles:
        return rows.values_RF.reshape(len(rows), len(rules), places)

    return RowMerger(to_grid, unmerged)
