"""From one source's table to records: values by time, place and field, on the source's own step.

Shapes: R rows of the table, T distinct times, N places, F fields of this source.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deepcity.data.connectors import ReadError, Table, read_table
from deepcity.data.duplicates import settle_duplicates
from deepcity.data.duration import duration_text
from deepcity.data.findings import Notebook, rows_text
from deepcity.data.settings import FieldSettings, PlaceSettings
from deepcity.data.settle import NO_TIME, wall_text
from deepcity.data.sheet import Sheet
from deepcity.data.source import Layout, SourceSettings, Stamp
from deepcity.data.times import utc_times
from deepcity.data.toml_file import did_you_mean
from deepcity.data.values import read_values

Seconds = NDArray[np.int64]
Values = NDArray[np.float64]
Fields = Sequence[FieldSettings]
Places = Sequence[PlaceSettings]

SPARSEST = 50  # a panel with fewer than one row in so many steps is a mistyped year


@dataclass(frozen=True)
class Records:
    """One source's values.

    Attributes:
        time_T: start of each row's interval, UTC seconds, rising.
        step_s: the source's own step.
        values_TNF: in each field's unit; NaN where not measured.
    """

    time_T: Seconds
    step_s: int
    values_TNF: Values


def read_records(
    source: SourceSettings,
    folder: Path,
    zone: str,
    *,
    fields: Fields,
    places: Places,
    book: Notebook,
) -> Records | None:
    """One source's values of some fields and places, or None where problems were found.

    Args:
        source: what the city file says of it.
        folder: where relative paths start.
        zone: the city's time zone, for times of a source that states none.
        fields: those this source holds.
        places: those of the agency.
        book: takes problems and findings.
    """
    if source.time is None:
        book.problem("time", None, "missing", f"say how rows of {source.name!r} tell time")
        return None
    try:
        table = read_table(source, folder)
    except ReadError as error:
        book.problem(error.key, error.value, error.reason, error.right)
        return None
    frame, rows_R = _without_empty(table, book)
    place_R = np.zeros(len(rows_R), dtype=np.int64)
    zone = source.time.zone or zone
    sheet = Sheet(frame, rows_R, place_R, source, source.time, zone, book)
    if source.layout is Layout.LONG:
        return _read_long(sheet, fields, places)
    return _read_wide(sheet, fields, places)


def _without_empty(table: Table, book: Notebook) -> tuple[pl.DataFrame, Seconds]:
    frame = table.frame
    rows_R = np.arange(table.first_row, table.first_row + frame.height, dtype=np.int64)
    if not frame.width:
        return frame, rows_R
    texts = pl.col(pl.String)
    cells = [texts.is_null() | (texts.str.strip_chars() == ""), (~pl.selectors.string()).is_null()]
    empty_R = frame.select(pl.all_horizontal(*cells).alias("empty")).to_series().to_numpy()
    count = int(empty_R.sum())
    if not count:
        return frame, rows_R
    text = f"{count} empty row{'s' if count != 1 else ''} left out ({rows_text(rows_R[empty_R])})"
    book.note("empty", "rows", count, text)
    return frame.filter(pl.Series(~empty_R)), rows_R[~empty_R]


def column_of(field: FieldSettings, place: PlaceSettings) -> str:
    """The column of a wide table that holds a field at a place."""
    if field.column is None:
        return place.key
    return field.column.replace("{place}", place.key)


def _read_wide(sheet: Sheet, fields: Fields, places: Places) -> Records | None:
    problems = len(sheet.book.problems)
    utc_R = utc_times(sheet)
    values_RNF = np.full((len(sheet.rows_R), len(places), len(fields)), np.nan)
    for f, field in enumerate(fields):
        for n, place in enumerate(places):
            values_RNF[:, n, f] = read_values(sheet, column_of(field, place), field)
    kept = None if utc_R is None else _kept(utc_R, values_RNF, sheet)
    if utc_R is None or kept is None or len(sheet.book.problems) > problems:
        return None
    return _on_own_step(utc_R[kept], values_RNF[kept], sheet)


def _read_long(sheet: Sheet, fields: Fields, places: Places) -> Records | None:
    problems = len(sheet.book.problems)
    numbered = _number_places(sheet, places)
    if numbered is None:
        return None
    utc_R = utc_times(numbered)
    values_RF = np.full((len(numbered.rows_R), len(fields)), np.nan)
    for f, field in enumerate(fields):
        values_RF[:, f] = read_values(numbered, field.column or field.name, field)
    kept = None if utc_R is None else _kept(utc_R, values_RF, numbered)
    if utc_R is None or kept is None or len(sheet.book.problems) > problems:
        return None
    time_T, at = np.unique(utc_R[kept], return_inverse=True)
    values_TNF = np.full((len(time_T), len(places), len(fields)), np.nan)
    values_TNF[at, numbered.place_R[kept]] = values_RF[kept]
    return _on_own_step(time_T, values_TNF, numbered)


def _number_places(sheet: Sheet, places: Places) -> Sheet | None:
    """The rows of the wanted places, each with its place's number; other places' are no fault."""
    column, book = sheet.source.place or "", sheet.book
    if column not in sheet.frame.columns:
        book.problem("place", column, "no such column", did_you_mean(column, sheet.frame.columns))
        return None
    names = sheet.frame[column].cast(pl.String).str.strip_chars().to_list()
    number = {place.key: n for n, place in enumerate(places)}
    found = {name for name in names if name is not None}
    for name in [name for name in number if name not in found]:
        book.problem("places", name, "no row is of this place", did_you_mean(name, sorted(found)))
    place_R = np.array([number.get(name, -1) for name in names], dtype=np.int64)
    others = int((place_R < 0).sum())
    if others:
        book.note("other-places", "rows", others, f"{others:,} rows of other places left out")
    numbered = Sheet(sheet.frame, sheet.rows_R, place_R, sheet.source, sheet.time, sheet.zone, book)
    return numbered.keep(place_R >= 0)


def _kept(utc_R: Seconds, values: Values, sheet: Sheet) -> NDArray[np.intp]:
    """The rows to keep, after telling which are out of order and settling doubled ones."""
    known = np.flatnonzero(utc_R != NO_TIME)
    order = known[np.argsort(sheet.place_R[known], kind="stable")]
    falls = (np.diff(utc_R[order]) < 0) & (np.diff(sheet.place_R[order]) == 0)
    if falls.any():
        rows = sheet.rows_text(order[1:][falls])
        text = f"times are not in order; rows were sorted (earlier than the one above: {rows})"
        sheet.book.warn("unsorted", "time", int(falls.sum()), text)
    return settle_duplicates(utc_R, values, sheet)


def _on_own_step(time_T: Seconds, values_TNF: Values, sheet: Sheet) -> Records | None:
    order = np.argsort(time_T, kind="stable")
    time_T, values_TNF = time_T[order], values_TNF[order]
    if len(time_T) < 2:
        right = "give records of some days"
        sheet.book.problem("rows", len(time_T), "fewer than two times", right)
        return None
    step_s = _own_step_s(time_T, sheet)
    if sheet.time.stamp is Stamp.END:
        time_T = time_T - step_s
    _see_span(time_T, step_s, sheet.book)
    return Records(time_T, step_s, values_TNF)


def _own_step_s(time_T: Seconds, sheet: Sheet) -> int:
    """The stated step, or the most frequent one."""
    if sheet.time.step is not None:
        return int(sheet.time.step.total_seconds())
    steps, times = np.unique(np.diff(time_T), return_counts=True)
    return int(steps[np.argmax(times)])


def _see_span(time_T: Seconds, step_s: int, book: Notebook) -> None:
    """A mistyped year would make a panel of nothing but gaps."""
    steps = (int(time_T[-1]) - int(time_T[0])) // step_s + 1
    if steps > SPARSEST * len(time_T):
        span = f"{wall_text(time_T[0])} .. {wall_text(time_T[-1])} UTC"
        share = f"under {100 // SPARSEST} % of this span"
        reason = f"{len(time_T):,} times at a step of {duration_text(step_s)} fill {share}"
        right = "look for a mistyped year, or state time.step if rows are rarer"
        book.problem("time", span, reason, right)
