"""Tables without a column of numbers: what their columns hold instead."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from deepcity.city.problem import Problem
from deepcity.data.config.number_style import NumberStyle
from deepcity.data.observations import ColumnTally, Seen
from deepcity.data.tables.numbers import read_numbers

SHOWN = 3
"""Columns or rows that a message names."""


def nothing_measured(
    file: str, frame: pl.DataFrame, columns: Sequence[str], style: NumberStyle
) -> Problem:
    """That none of these columns holds numbers enough, and what they hold instead."""
    reason, held = "no column of it is measured", _held_texts(frame, columns, style)
    right = "name a table of measurements; positions of places go with one (places_from)"
    return Problem(file, "fields", None, reason + (f" ({held})" if held else ""), right)


def _held_texts(frame: pl.DataFrame, columns: Sequence[str], style: NumberStyle) -> str:
    """What columns hold that are not measured, a few words of each: ``a: 'x' in 5 of 9 cells``."""
    found = []
    for name in columns:
        tally = tally_of(frame[name], style, 0)
        if tally is not None and tally.bad:
            text, seen = max(tally.bad.items(), key=lambda one: one[1].count)
            cells = tally.numbers + tally.bad_cells
            shown = f"{tally.numbers:,} of {cells:,} cells hold numbers, {seen.count:,} {text!r}"
            found.append(f"{name}: {shown}")
    more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return "; ".join(found[:SHOWN]) + more


def tally_of(column: pl.Series, style: NumberStyle, first_row: int) -> ColumnTally | None:
    """The cells of a column of text; None for one of another type."""
    if column.dtype != pl.String:
        return None
    found = read_numbers(column, style)
    texts = column.str.strip_chars()
    tally = ColumnTally(bad_cells=len(found.bad), numbers=int(np.isfinite(found.values_R).sum()))
    for row in found.bad.tolist():
        tally.bad.setdefault(texts[row], Seen()).add(1, [row + first_row])
    return tally
