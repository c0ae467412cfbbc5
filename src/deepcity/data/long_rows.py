"""Long tables (one row per time and place), read in batches and resampled to the clock's step.

Shapes: R rows, T times, N places, F fields of this source.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from deepcity.city.arrays import Doubles, Ints
from deepcity.city.clock import Clock
from deepcity.city.field import Resample
from deepcity.data.batches import Origin, needed_columns, see_columns, sheets
from deepcity.data.findings import Notebook
from deepcity.data.own_step import Records, rule_of
from deepcity.data.resample import Grid, rows_onto_grid
from deepcity.data.settings import FieldSettings, PlaceSettings
from deepcity.data.settled import Merges, Settled, spooled_records
from deepcity.data.sheet import Sheet
from deepcity.data.spool import Rows, Spool, compact
from deepcity.data.times import raw_times
from deepcity.data.toml_file import did_you_mean
from deepcity.data.values import read_values


def read_long(
    origin: Origin,
    *,
    fields: Sequence[FieldSettings],
    places: Sequence[PlaceSettings],
    clock: Clock,
    book: Notebook,
) -> Records | None:
    """A long table's values of some fields and places, or None where problems were found.

    Raises:
        ReadError: if the rows cannot be read.
    """
    needed = needed_columns(origin, fields)
    if see_columns(origin, needed, book):
        return None
    number = {place.key: n for n, place in enumerate(places)}
    before = len(book.problems)
    with Spool() as spool:
        wall = _fill(spool, origin, list(needed), number, fields, book)
        if len(book.problems) > before:
            return None
        merges = _merges([rule_of(field, origin.source) for field in fields], len(places))
        return spooled_records(spool, spool.blocks, origin, merges, clock, book, wall=wall)


def _fill(
    spool: Spool,
    origin: Origin,
    columns: Sequence[str],
    number: dict[str, int],
    fields: Sequence[FieldSettings],
    book: Notebook,
) -> bool:
    """Spool all rows of the agency's places; returns whether their times are wall-clock times."""
    seen: set[str] = set()
    wall, before = False, len(book.problems)
    for sheet in sheets(origin, columns, book):
        names = sheet.frame[origin.source.place or ""].cast(pl.String).str.strip_chars()
        seen.update(name for name in names.unique().to_list() if name is not None)
        found = _compact(sheet, names, number, fields)
        if found is not None:
            wall = found[1]
            spool.add(found[0])
    for name in [name for name in number if name not in seen and len(book.problems) == before]:
        book.problem("places", name, "no rows for this place", did_you_mean(name, sorted(seen)))
    return wall


def _compact(
    sheet: Sheet, names: pl.Series, number: dict[str, int], fields: Sequence[FieldSettings]
) -> tuple[Rows, bool] | None:
    """A sheet's rows of the agency's places, and whether times are wall-clock times.

    Rows of other places are left out with a note.
    """
    placed = names.replace_strict(number, default=-1, return_dtype=pl.Int64)
    place_R = placed.fill_null(-1).to_numpy()
    others = int((place_R < 0).sum())
    if others:
        sheet.book.note("other-places", "rows", others, f"{others:,} rows of other places left out")
    sheet = replace(sheet, place_R=place_R).keep(place_R >= 0)
    if not len(sheet.rows_R):
        return None
    raw = raw_times(sheet)
    values_RF = np.full((len(sheet.rows_R), len(fields)), np.nan)
    for f, field in enumerate(fields):
        values_RF[:, f] = read_values(sheet, field.column or field.name, field)
    if raw is None:
        return None
    return compact(raw.seconds_R, sheet.place_R, sheet.rows_R, values_RF), raw.wall


def _merges(rules: Sequence[Resample], places: int) -> Merges:
    """How rows of a long table become values; steps without rows are kept, as NaN."""

    def onto(rows: Settled, expected: int, grid: Grid) -> tuple[Ints, Doubles]:
        return grid.time_T, rows_onto_grid(
            rows.time_R, rows.place_R, rows.values_RF, places, expected, rules, grid
        )

    def apart(rows: Settled) -> tuple[Ints, Doubles]:
        time_T, at_R = np.unique(rows.time_R, return_inverse=True)
        values_TNF = np.full((len(time_T), places, len(rules)), np.nan)
        values_TNF[at_R, rows.place_R] = rows.values_RF
        return time_T, values_TNF

    return Merges(onto, apart)
