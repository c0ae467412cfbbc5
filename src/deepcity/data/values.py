"""One column's numbers in its field's unit, with all that is wrong with them told.

Shapes: R rows of the sheet.
"""

import numpy as np
from numpy.typing import NDArray

from deepcity.city.field import Kind
from deepcity.city.units import convert
from deepcity.data.numbers import read_numbers
from deepcity.data.settings import FieldSettings
from deepcity.data.sheet import Sheet
from deepcity.data.toml_file import did_you_mean

Values = NDArray[np.float64]

NEVER_NEGATIVE = {Kind.COUNT, Kind.SPEED, Kind.RAIN}


def read_values(sheet: Sheet, name: str, field: FieldSettings) -> Values:
    """The numbers of a column, shape (R,); NaN where missing, wrong or masked."""
    if name not in sheet.frame.columns:
        right = did_you_mean(name, sheet.frame.columns)
        sheet.book.problem("column", name, "no such column", right)
        return np.full(len(sheet.rows_R), np.nan)
    numbers = read_numbers(sheet.frame[name], sheet.source.missing, sheet.source.decimal)
    if len(numbers.bad):
        reason = f"not a number ({sheet.rows_text(numbers.bad)})"
        right = "mend these cells, or add the text to missing = [...] if it means not measured"
        sheet.book.problem(name, str(sheet.frame[name][int(numbers.bad[0])]), reason, right)
    if len(numbers.infinite):
        count, rows = len(numbers.infinite), sheet.rows_text(numbers.infinite)
        sheet.book.warn("infinite", name, count, f"{count} infinite values masked ({rows})")
    values_R = convert(numbers.values_R, field.unit_of_records, field.unit)
    values_R = _mask_outside(values_R, name, field, sheet)
    _see_negative(values_R, name, field, sheet)
    return values_R


def _mask_outside(values_R: Values, name: str, field: FieldSettings, sheet: Sheet) -> Values:
    if field.valid is None:
        return values_R
    low, high = field.valid
    outside = np.flatnonzero((values_R < low) | (values_R > high))
    if len(outside):
        rows = sheet.rows_text(outside)
        text = f"{len(outside)} values outside {low:g}..{high:g} {field.unit} masked ({rows})"
        sheet.book.note("outside-valid", name, len(outside), text)
        values_R = values_R.copy()
        values_R[outside] = np.nan
    return values_R


def _see_negative(values_R: Values, name: str, field: FieldSettings, sheet: Sheet) -> None:
    if field.kind not in NEVER_NEGATIVE:
        return
    negative = np.flatnonzero(values_R < 0)
    if len(negative):
        reason = f"a {field.kind.value} cannot be negative ({sheet.rows_text(negative)})"
        right = "correct them, or mask them with valid = [0, highest believable]"
        sheet.book.problem(name, float(values_R[negative[0]]), reason, right)
