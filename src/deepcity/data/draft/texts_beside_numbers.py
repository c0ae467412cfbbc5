"""Columns of numbers in which words stand too: what each of the words means is asked."""

from collections.abc import Sequence

import polars as pl

from deepcity.city.errors import ConfigError
from deepcity.data.config.number_style import NumberStyle
from deepcity.data.config.toml_file import Raw
from deepcity.data.draft.answers import Ask, OpenQuestionsError
from deepcity.data.draft.nothing_measured import SHOWN, nothing_measured, tally_of
from deepcity.data.draft.rows_of_one_time import Looked, time_columns
from deepcity.data.remedies import trials
from deepcity.data.remedies.cell_texts import UnknownTexts, has_digit


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
    raise ConfigError([nothing_measured(open_.file, frame, rest, style)])


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
        tally = tally_of(frame[name], style, first_row)
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
