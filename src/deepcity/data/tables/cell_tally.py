"""Counts what the cells of a column of text are, so that remedies can be tried on all of them.

Shapes: R rows of the sheet.
"""

import numpy as np
import polars as pl

from deepcity.city.arrays import Indices, Ints
from deepcity.city.field import Kind
from deepcity.data.config.number_style import NumberStyle
from deepcity.data.config.settings import FieldSettings
from deepcity.data.observations import ROWS_KEPT, TEXTS_KEPT, ColumnTally, Seen
from deepcity.data.sheet import Sheet
from deepcity.data.tables.numbers import GROUPED, Numbers


def tally_cells(
    column: pl.Series, numbers: Numbers, name: str, field: FieldSettings | None, sheet: Sheet
) -> None:
    """Add a column's cells to those of its sheet; `field` is what they are read for."""
    tally = tally_of(column, numbers, sheet.rows_R, sheet.source.numbers)
    tally.never_fraction = field is not None and field.kind is Kind.COUNT
    sheet.issues.cells.setdefault(name, ColumnTally(tally.never_fraction)).merge(tally)


def tally_of(column: pl.Series, numbers: Numbers, rows_R: Ints, style: NumberStyle) -> ColumnTally:
    """What the cells of a column are, and in which rows; `numbers` is what they were read as."""
    tally = ColumnTally()
    written = column.cast(pl.String)
    if len(numbers.bad):
        texts = written.str.strip_chars()
        tally.bad = _seen(texts, numbers.bad, rows_R)
        tally.bad_cells = len(numbers.bad)
    known_R = np.isfinite(numbers.values_R)
    tally.numbers = int(known_R.sum())
    has_sign = written.str.contains(style.decimal, literal=True)
    signed_R = (has_sign.fill_null(value=False) if has_sign.null_count() else has_sign).to_numpy()
    whole = numbers.values_R[known_R & ~signed_R]
    tally.whole = len(whole)
    tally.largest_whole = float(whole.max()) if len(whole) else 0.0
    signed = np.flatnonzero(known_R & signed_R)
    if len(signed):
        _count_signed(tally, written.str.strip_chars(), numbers, signed, rows_R, style)
    return tally


def _count_signed(
    tally: ColumnTally,
    texts: pl.Series,
    numbers: Numbers,
    signed: Indices,
    rows_R: Ints,
    style: NumberStyle,
) -> None:
    """Count numbers with a decimal sign, apart where it may as well part thousands."""
    written = texts.gather(signed)
    if not style.thousands and style.decimal in GROUPED:
        grouped_R = written.str.contains(GROUPED[style.decimal]).to_numpy()
        rows = np.sort(rows_R[signed[grouped_R]])[:ROWS_KEPT]
        tally.grouped.add(int(grouped_R.sum()), rows.tolist())
    tally.fractions = len(signed) - tally.grouped.count
    distinct = written.arg_unique()[:TEXTS_KEPT].to_numpy()
    for n in signed[distinct].tolist():
        tally.separated[texts[n]] = float(numbers.values_R[n])


def _seen(texts: pl.Series, positions: Indices, rows_R: Ints) -> dict[str, Seen]:
    """Texts at some positions: how often each occurs, and in which rows first."""
    frame = pl.DataFrame({"text": texts.gather(positions), "row": rows_R[positions]})
    grouped = frame.group_by("text", maintain_order=True).agg(
        pl.len().alias("count"), pl.col("row").head(ROWS_KEPT).alias("rows")
    )
    return {text: Seen(count, rows) for text, count, rows in grouped.head(TEXTS_KEPT).iter_rows()}
