"""Wide tables (one row per time, one column per place), read in batches like long ones.

Shapes: R rows, T times, N places, F fields of this source, K = F x N columns.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from deepcity.city.arrays import Doubles, Ints
from deepcity.city.clock import Clock
from deepcity.city.field import Resample
from deepcity.data.batches import Origin, see_columns, sheets
from deepcity.data.findings import Notebook, rows_text
from deepcity.data.own_step import Records, rule_of
from deepcity.data.resample import Grid, onto_steps
from deepcity.data.settings import FieldSettings, PlaceSettings
from deepcity.data.settled import Merges, Settled, see_times, spooled_records
from deepcity.data.sheet import Sheet
from deepcity.data.spool import Rows, Spool, compact
from deepcity.data.times import raw_times
from deepcity.data.values import read_values


def read_wide(
    origin: Origin,
    *,
    fields: Sequence[FieldSettings],
    places: Sequence[PlaceSettings],
    clock: Clock,
    book: Notebook,
) -> Records | None:
    """A wide table's values of some fields and places, or None where problems were found.

    Raises:
        ReadError: if the rows cannot be read.
    """
    before = len(book.problems)
    needed = dict.fromkeys(origin.time.names, "time")
    for field in fields:
        needed |= dict.fromkeys(field.where, "where")
        needed |= dict.fromkeys((column_of(field, place) for place in places), "column")
    absent = see_columns(origin, needed, book)
    there = [name for name in needed if name not in absent]
    with Spool() as spool:
        wall = _fill(spool, origin, there, fields, places, book) if there else None
        if len(book.problems) > before:
            if wall is not None:
                see_times(spool.blocks(), origin, book, wall=wall)
            return None
        assert wall is not None
        merges = _merges([rule_of(field, origin.source) for field in fields], len(places))

        def blocks() -> Iterable[Rows]:
            return _in_order(spool.blocks(), origin, book)

        return spooled_records(spool, blocks, origin, merges, clock, book, wall=wall)


def column_of(field: FieldSettings, place: PlaceSettings) -> str:
    """The column of a wide table that holds a field at a place."""
    if field.column is None:
        return place.key
    return field.column.replace("{place}", place.key)


def _fill(
    spool: Spool,
    origin: Origin,
    columns: Sequence[str],
    fields: Sequence[FieldSettings],
    places: Sequence[PlaceSettings],
    book: Notebook,
) -> bool | None:
    """Spool all rows; returns whether times are wall-clock times, None if some are invalid."""
    walls: set[bool | None] = set()
    count = 0
    for sheet in sheets(origin, columns, book, past_problems=True):
        count += len(sheet.rows_R)
        found = _compact(sheet, fields, places)
        sheet.book.findings = list(dict.fromkeys(sheet.book.findings))  # each place repeats it
        walls.add(None if found is None else found[1])
        if found is not None:
            spool.add(found[0])
    # That no row matches `where` is reported only if it is so in all batches.
    book.findings = [f for f in book.findings if f.what != "where" or f.count == count]
    return None if None in walls else True in walls


def _compact(
    sheet: Sheet, fields: Sequence[FieldSettings], places: Sequence[PlaceSettings]
) -> tuple[Rows, bool] | None:
    """A sheet's rows, and whether times are wall-clock times; None if times are invalid.

    Values are in the order: all places of the first field, then of the next.
    """
    there = set(sheet.frame.columns)
    raw = raw_times(sheet) if set(sheet.time.names) <= there else None
    names = [(column_of(field, place), field) for field in fields for place in places]
    values_RK = np.full((len(sheet.rows_R), len(names)), np.nan)
    for k, (name, field) in enumerate(names):
        if name in there and set(field.where) <= there:  # missing columns are reported already
            values_RK[:, k] = read_values(sheet, name, field)
    if raw is None:
        return None
    return compact(raw.seconds_R, sheet.place_R, sheet.rows_R, values_RK), raw.wall


def _in_order(blocks: Iterable[Rows], origin: Origin, book: Notebook) -> Iterable[Rows]:
    """The same blocks; warns of rows that come after rows of a later block in the file."""
    last = -1
    for rows in blocks:
        early = rows["row"][rows["row"] < last]
        if len(early):
            shown = rows_text(np.sort(early), origin.source.row_word)
            text = f"times are not in order; rows were sorted (earlier than a row above: {shown})"
            book.warn("unsorted", "time", len(early), text)
        last = max(last, int(rows["row"].max()))
        yield rows


def _merges(rules: Sequence[Resample], places: int) -> Merges:
    """How rows of a wide table, each with all places, become values; empty steps are omitted."""

    def onto(rows: Settled, expected: int, grid: Grid) -> tuple[Ints, Doubles]:
        values_RFN = by_field(rows)
        time_T, values_TFN = onto_steps(rows.time_R, values_RFN, expected, rules, grid)
        return time_T, values_TFN.transpose(0, 2, 1)

    def apart(rows: Settled) -> tuple[Ints, Doubles]:
        return rows.time_R, by_field(rows).transpose(0, 2, 1)

    def by_field(rows: Settled) -> Doubles:
        return rows.values_RF.reshape(len(rows), len(rules), places)

    return Merges(onto, apart)
