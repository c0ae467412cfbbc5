"""Reads a source's rows in batches, so that a file larger than memory can be read.

Shapes: R rows of a batch.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from deepcity.city.arrays import Ints
from deepcity.city.problem import Problem
from deepcity.data.connectors import Table, read_batches, read_columns
from deepcity.data.findings import Finding, Notebook, rows_text
from deepcity.data.settings import FieldSettings
from deepcity.data.sheet import Sheet
from deepcity.data.source import Layout, SourceSettings
from deepcity.data.time_format import doubtful, pinned
from deepcity.data.time_settings import TimeSettings
from deepcity.data.toml_file import did_you_mean

MORE = "; and more later in the file"
NUMBERED = re.compile(r" \((?:rows?|columns?) \d")


@dataclass(frozen=True)
class Origin:
    """A source, where its relative paths start, and how the times of its rows are read."""

    source: SourceSettings
    folder: Path
    time: TimeSettings
    zone: str


def sheets(
    origin: Origin, columns: Sequence[str], book: Notebook, *, past_problems: bool = False
) -> Iterator[Sheet]:
    """Yields a table's rows in batches; the time format is detected in the first one.

    Each sheet has a notebook of its own, merged into `book` when the next sheet is requested.
    Reading stops after a sheet with problems, unless `past_problems` is set.

    Raises:
        ReadError: if the rows cannot be read.
    """
    time, above = origin.time, 0
    for table in read_batches(origin.source, origin.folder, columns):
        own = Notebook(book.file)
        if time.start is None:
            frame, rows_R = without_empty(table, own, origin.source.row_word)
        else:  # times are counted by row, so an empty row still takes up a step
            frame, rows_R = table.frame, _numbered(table)
        time = _with_format(origin, time, frame)
        place_R = np.zeros(len(rows_R), dtype=np.int64)
        yield Sheet(frame, rows_R, place_R, origin.source, time, origin.zone, own, above)
        absorb(book, own)
        above += table.frame.height
        if own.problems and not past_problems:
            return


def _with_format(origin: Origin, time: TimeSettings, frame: pl.DataFrame) -> TimeSettings:
    """The time settings with a format; if several fit these rows, the one that fits all rows."""
    if not doubtful(time, frame):
        return pinned(time, frame)
    tables = read_batches(origin.source, origin.folder, time.names)
    frames = [without_empty(table, Notebook(""))[0] for table in tables]
    return pinned(time, pl.concat(frames, how="vertical_relaxed"))


def needed_columns(origin: Origin, fields: Sequence[FieldSettings]) -> dict[str, str]:
    """The columns to read, each with the setting that names it."""
    source = origin.source
    needed = dict.fromkeys(origin.time.names, "time")
    for key in ("place", "lat", "lon"):
        name = getattr(source, key)
        if name is not None:
            needed[name] = key
    for field in fields:
        needed |= dict.fromkeys(field.where, "where")
        if field.column is not None or source.layout is not Layout.EVENTS:
            needed[field.column or field.name] = "column"
    return needed


def see_columns(origin: Origin, needed: dict[str, str], book: Notebook) -> list[str]:
    """Report each needed column that the source lacks; returns their names.

    Raises:
        ReadError: if they cannot be read.
    """
    there = read_columns(origin.source, origin.folder)
    absent = {name: key for name, key in needed.items() if name not in there}
    for name, key in absent.items():
        book.problem(key, name, "no such column", did_you_mean(name, there))
    return list(absent)


def without_empty(table: Table, book: Notebook, word: str = "row") -> tuple[pl.DataFrame, Ints]:
    """The rows that are not empty, and their numbers in the file."""
    frame = table.frame
    rows_R = _numbered(table)
    if not frame.width:
        return frame, rows_R
    texts = pl.col(pl.String)
    cells = [texts.is_null() | (texts.str.strip_chars() == ""), (~pl.selectors.string()).is_null()]
    empty_R = frame.select(pl.all_horizontal(*cells).alias("empty")).to_series().to_numpy()
    count = int(empty_R.sum())
    if not count:
        return frame, rows_R
    plural, shown = "s" if count != 1 else "", rows_text(rows_R[empty_R], word)
    text = f"{count} empty {word}{plural} left out ({shown})"
    book.note("empty", "rows", count, text)
    return frame.filter(pl.Series(~empty_R)), rows_R[~empty_R]


def _numbered(table: Table) -> Ints:
    return np.arange(table.first_row, table.first_row + table.frame.height, dtype=np.int64)


def absorb(book: Notebook, own: Notebook) -> None:
    """Merge a batch's problems and findings into `book`; repetitions extend earlier entries."""
    told = {_stem(problem): n for n, problem in enumerate(book.problems)}
    for problem in own.problems:
        n = told.get(_stem(problem))
        if n is None:
            book.problems.append(problem)
        else:
            one = book.problems[n]
            book.problems[n] = replace(one, reason=one.reason.removesuffix(MORE) + MORE)
    at = {_key(finding): n for n, finding in enumerate(book.findings)}
    for finding in own.findings:
        n = at.get(_key(finding))
        if n is None:
            book.findings.append(finding)
        else:
            first = book.findings[n]
            text = first.text.removesuffix(MORE) + MORE
            book.findings[n] = replace(first, count=first.count + finding.count, text=text)


def _stem(problem: Problem) -> tuple[str, str]:
    """A problem's key and reason, without the row numbers."""
    reason = problem.reason.removesuffix(MORE)
    return problem.key, NUMBERED.split(reason)[0]


def _key(finding: Finding) -> tuple[str, str, str]:
    return finding.severity, finding.what, finding.where
