"""Reads one column's numbers in its field's unit, and reports everything wrong with them.

Shapes: R rows of the sheet.
"""

import numpy as np
import polars as pl

from deepcity.city.arrays import Bools, Doubles
from deepcity.city.field import Kind
from deepcity.city.units import convert, gas_of
from deepcity.data.config.settings import FieldSettings
from deepcity.data.config.toml_file import did_you_mean
from deepcity.data.findings import UNREVIEWED
from deepcity.data.sheet import Sheet
from deepcity.data.tables.cell_tally import tally_cells
from deepcity.data.tables.numbers import Numbers, read_numbers

MOST_SHOWN = 12
NEVER_NEGATIVE = {Kind.COUNT, Kind.SPEED, Kind.RAIN}


def read_values(sheet: Sheet, name: str, field: FieldSettings) -> Doubles:
    """The numbers of a column, shape (R,); NaN where missing, invalid or masked."""
    cells = sheet.frame.get_column(name, default=None)
    if cells is None:
        right = did_you_mean(name, sheet.frame.columns)
        sheet.issues.no_column("column", name, right)
        return np.full(len(sheet.rows_R), np.nan)
    column = _decoded(cells, field)
    numbers = read_numbers(column, sheet.source.numbers)
    if column.dtype == pl.String:
        tally_cells(column, numbers, name, field, sheet)
    if len(numbers.other_sign):
        _check_decimals(numbers, name, sheet)
    if len(numbers.bad):
        _report_bad(numbers, name, sheet)
    if len(numbers.negated):
        count, rows = len(numbers.negated), sheet.rows_text(numbers.negated)
        text = f"{count:,} numbers in brackets or with a minus behind them are negative ({rows})"
        sheet.issues.note("negated", name, count, text)
    if len(numbers.infinite):
        count, rows = len(numbers.infinite), sheet.rows_text(numbers.infinite)
        sheet.issues.warn("infinite", name, count, f"{count} infinite values masked ({rows})")
    if field.cumulative:  # differenced and converted once rows are in order
        return np.where(rows_of(sheet, field), numbers.values_R, np.nan)
    plain_R = numbers.values_R * field.scale + field.offset
    values_R = convert(plain_R, field.unit_of_records, field.unit, gas_of(field.name))
    values_R = np.where(rows_of(sheet, field), values_R, np.nan)
    values_R = _mask_outside(values_R, name, field, sheet)
    _check_negative(values_R, name, field, sheet)
    return values_R


def _report_bad(numbers: Numbers, name: str, sheet: Sheet) -> None:
    """Report cells that are not numbers; what to do is said when all of them are known."""
    reason = f"not a number ({sheet.rows_text(numbers.bad)})"
    shown = str(sheet.frame[name][int(numbers.bad[0])])
    cause = sheet.cause("not-a-number", numbers.bad)
    sheet.issues.problem(name, shown, reason, UNREVIEWED, cause=cause)


def _check_decimals(numbers: Numbers, name: str, sheet: Sheet) -> None:
    """Warn of cells with another decimal sign than the source's."""
    point = sheet.source.numbers.decimal == "."
    sign, other = ("point", "comma") if point else ("comma", "point")
    read = np.setdiff1d(numbers.other_sign, numbers.bad)
    if not len(read):
        return  # a problem says it already
    count, rows = len(read), sheet.rows_text(read)
    text = (
        f"{count} cell{'s have' if count > 1 else ' has'} a decimal {other}, though the source's "
        f"decimal sign is a {sign} ({rows})"
    )
    sheet.issues.warn("decimal-mixed", name, count, text)


def rows_of(sheet: Sheet, field: FieldSettings) -> Bools:
    """Whether each row matches the field's `where`, shape (R,)."""
    fitting_R = np.ones(len(sheet.rows_R), dtype=bool)
    for name, wanted in field.where.items():
        if name not in sheet.frame.columns:
            right = did_you_mean(name, sheet.frame.columns)
            sheet.issues.no_column("where", name, right)
            continue
        texts = sheet.frame[name].cast(pl.String).str.strip_chars()
        fits_R = texts.is_in(list(wanted)).fill_null(value=False).to_numpy()
        if not fits_R.any() and len(fits_R):
            found = texts.drop_nulls().unique().head(MOST_SHOWN).sort().to_list()
            text = f"no row has {' or '.join(wanted)} in {name}; found {', '.join(found)}"
            sheet.issues.warn("where", field.name, len(fits_R), text)
        fitting_R &= fits_R
    return fitting_R


def _decoded(column: pl.Series, field: FieldSettings) -> pl.Series:
    """The column with `codes` replaced by their numbers, as text."""
    if not field.codes or column.dtype != pl.String:
        return column
    codes = {text: str(number) for text, number in field.codes.items()}
    return column.str.strip_chars().replace(codes)


def _mask_outside(values_R: Doubles, name: str, field: FieldSettings, sheet: Sheet) -> Doubles:
    if field.valid is None:
        return values_R
    low, high = field.valid
    outside = np.flatnonzero((values_R < low) | (values_R > high))
    if len(outside):
        rows = sheet.rows_text(outside)
        text = f"{len(outside)} values outside {low:g}..{high:g} {field.unit} masked ({rows})"
        sheet.issues.note("outside-valid", name, len(outside), text)
        values_R = values_R.copy()
        values_R[outside] = np.nan
    return values_R


def _check_negative(values_R: Doubles, name: str, field: FieldSettings, sheet: Sheet) -> None:
    if field.kind not in NEVER_NEGATIVE:
        return
    negative = np.flatnonzero(values_R < 0)
    if len(negative):
        reason = f"a {field.kind.value} cannot be negative ({sheet.rows_text(negative)})"
        right = "correct them, or mask them with valid = [0, highest plausible]"
        cause = sheet.cause("negative", negative)
        sheet.issues.problem(name, float(values_R[negative[0]]), reason, right, cause=cause)
