"""Columns of numbers in which words stand too: what each of the words means is asked."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from deepcity.city.errors import ConfigError
from deepcity.city.problem import Problem
from deepcity.data.config.number_style import NumberStyle
from deepcity.data.config.toml_file import Raw
from deepcity.data.draft.answers import Ask, OpenQuestionsError
from deepcity.data.draft.rows_of_one_time import Looked, time_columns
from deepcity.data.observations import ColumnTally, Seen
from deepcity.data.remedies import trials
from deepcity.data.remedies.cell_texts import UnknownTexts, has_digit
from deepcity.data.tables.numbers import read_numbers

SHOWN = 3


def ask_of_texts(
    source: Raw, agency: Raw, frame: pl.DataFrame, style: NumberStyle, open_: Looked
) -> None:
    """Words among numbers are asked for; a table without any numbers is refused.

    Raises:
        OpenQuestionsError: if nothing else of it is measured.
        ConfigError: if nothing of it is measured, and no word could be in the way.
    """
    wheres = [name for one in agency["fields"] for name in one.get("where", {})]
    fields = [one["column"] for one in agency["fields"] if "column" in one]
    known = {*time_columns(source), source.get("place", ""), *wheres, *fields}
    known |= set(agency["places"]) if agency["places"] != "all" else set()
    if "hour_columns" in source["time"] or source.get("layout") == "events":
        return
    rest = [name for name in frame.columns if name not in known]
    open_.asks += _asks_of_texts(frame, rest, style, source.get("skip_rows", 0) + 2)
    if agency["fields"]:
        return
    if any(one.key == "missing" for one in open_.asks):
        raise OpenQuestionsError(open_.file, tuple(open_.asks))
    reason, held = "no column of it is measured", _held_texts(frame, rest, style)
    right = "name a table of measurements; positions of places go with one (places_from)"
    reason += f" ({held})" if held else ""
    raise ConfigError([Problem(open_.file, "fields", None, reason, right)])


def _asks_of_texts(
    frame: pl.DataFrame, columns: Sequence[str], style: NumberStyle, first_row: int
) -> list[Ask]:
    """A question for each word that stands among the numbers of columns that hold mostly numbers.

    Proposed is what was tried: that the words mean "not measured" leaves the other cells.

    Args:
        frame: the rows, or a sample in their order.
        columns: those that are no time, no place, and not measured yet.
        style: how numbers are written.
        first_row: number of the first row in the file.
    """
    asks = []
    for name in columns:
        tally = _tally(frame[name], style, first_row)
        if tally is None or not tally.numbers:
            continue
        tried = trials(UnknownTexts({name: tally}, style))
        if any(has_digit(text) for text in tally.bad) or not any(one.keeps for one in tried):
            continue
        for text, seen in tally.bad.items():
            rows = f"rows {', '.join(str(row) for row in seen.rows[:SHOWN])}"
            question = (
                f"{name}: {text!r} stands in {seen.count:,} of {tally.numbers + tally.bad_cells:,} "
                f"cells ({rows}{' …' if seen.count > SHOWN else ''}), {tally.numbers:,} hold "
                f"numbers: does it mean 'not measured'? Where it is a number, a city file says "
                "which (codes)"
            )
            asks.append(Ask("missing", question, text, example=f"'{text}'"))
    return asks


def _held_texts(frame: pl.DataFrame, columns: Sequence[str], style: NumberStyle) -> str:
    """What columns hold that are not measured, a few words of each: ``a: 'x' in 5 of 9 cells``."""
    found = []
    for name in columns:
        tally = _tally(frame[name], style, 0)
        if tally is not None and tally.bad:
            text, seen = max(tally.bad.items(), key=lambda one: one[1].count)
            cells = tally.numbers + tally.bad_cells
            shown = f"{tally.numbers:,} of {cells:,} cells hold numbers, {seen.count:,} {text!r}"
            found.append(f"{name}: {shown}")
    more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return "; ".join(found[:SHOWN]) + more


def _tally(column: pl.Series, style: NumberStyle, first_row: int) -> ColumnTally | None:
    """The cells of a column of text; None for one of another type."""
    if column.dtype != pl.String:
        return None
    found = read_numbers(column, style)
    texts = column.str.strip_chars()
    tally = ColumnTally(bad_cells=len(found.bad), numbers=int(np.isfinite(found.values_R).sum()))
    for row in found.bad.tolist():
        tally.bad.setdefault(texts[row], Seen()).add(1, [row + first_row])
    return tally
