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
from deepcity.data.config.settings import FieldSettings
from deepcity.data.config.source import Layout, SourceSettings
from deepcity.data.config.time_settings import VALUE, TimeSettings
from deepcity.data.config.toml_file import did_you_mean
from deepcity.data.connectors import RawTable, read_batches, read_columns_by_part
from deepcity.data.connectors.many_files import absent_columns
from deepcity.data.findings import Finding, IssueLog, rows_text
from deepcity.data.observations import ColumnTally
from deepcity.data.remedies import next_step, trials
from deepcity.data.remedies.delimiter import UnknownColumns
from deepcity.data.sheet import Sheet
from deepcity.data.tables.hour_rows import hours_of
from deepcity.data.timestamps.detect import matching, pin_format, telling_rows

MAX_TIMES = 500_000  # distinct ones that are held to tell day from month
MORE = "; and more later in the file"
NUMBERED = re.compile(r" \((?:rows?|columns?) \d")


@dataclass(frozen=True)
class SourceContext:
    """A source, where its relative paths start, and how the times of its rows are read.

    Attributes:
        max_rows: read at most so many rows, to try a setting; None: all.
        files: what its files are called, where it has several.
    """

    source: SourceSettings
    folder: Path
    time: TimeSettings
    zone: str
    max_rows: int | None = None
    files: tuple[str, ...] = ()


def sheets(
    context: SourceContext,
    columns: Sequence[str],
    issues: IssueLog,
    *,
    read_past_problems: bool = False,
) -> Iterator[Sheet]:
    """Yields a table's rows in batches; the time format is detected in the first one.

    Each sheet has a notebook of its own, merged into `issues` when the next sheet is requested.
    Reading stops after a sheet with problems, unless `read_past_problems` is set.

    Raises:
        ReadError: if the rows cannot be read.
    """
    time, rows_before = context.time, 0
    tables = read_batches(context.source, context.folder, columns)
    for table in tables if context.max_rows is None else _first(tables, context.max_rows):
        batch_issues = IssueLog(issues.file)
        if time.start is None:
            noun = context.source.row_noun
            frame, rows_R = drop_empty_rows(table, batch_issues, noun, context.files)
        else:  # times are counted by row, so an empty row still takes up a step
            frame, rows_R = table.frame, _numbered(table)
        time = _with_format(context, time, frame)
        place_R = np.zeros(len(rows_R), dtype=np.int64)
        yield Sheet(
            frame,
            rows_R,
            place_R,
            context.source,
            time,
            context.zone,
            batch_issues,
            rows_before,
            context.files,
        )
        merge_issues(issues, batch_issues)
        rows_before += table.frame.height
        if batch_issues.problems and not read_past_problems:
            return


def _first(tables: Iterator[RawTable], rows: int) -> Iterator[RawTable]:
    """The first rows."""
    for table in tables:
        yield replace(table, frame=table.frame.head(rows))
        rows -= table.frame.height
        if rows <= 0:
            return


def _with_format(context: SourceContext, time: TimeSettings, frame: pl.DataFrame) -> TimeSettings:
    """The time settings with a format; if several fit these rows, the one that fits all rows."""
    patterns, kept = matching(time, frame), list[pl.DataFrame]()
    if len(patterns) < 2:
        return time.model_copy(update={"format": patterns[0]}) if patterns else time
    for table in read_batches(context.source, context.folder, time.names):
        rows = drop_empty_rows(table, IssueLog(""))[0].unique(maintain_order=True)
        if sum(one.height for one in kept) > MAX_TIMES:  # enough to tell even steps
            rows = telling_rows(time, rows, patterns)
        kept.append(rows)
        if len(kept) > 1 and len(matching(time, rows)) == 1:
            break
    return pin_format(time, pl.concat(kept, how="vertical_relaxed"))


def needed_columns(context: SourceContext, fields: Sequence[FieldSettings]) -> dict[str, str]:
    """The columns to read, each with the setting that names it."""
    source = context.source
    needed = dict.fromkeys(context.time.names, "time")
    for key in ("place", "lat", "lon"):
        name = getattr(source, key)
        if name is not None:
            needed[name] = key
    for field in fields:
        needed |= dict.fromkeys(field.where, "where")
        if field.column is not None or source.layout is not Layout.EVENTS:
            needed[value_column(source, field)] = "column"
    return needed


def value_column(source: SourceSettings, field: FieldSettings) -> str:
    """The column of a long table that holds a field."""
    return VALUE if hours_of(source) is not None else field.column or field.name


def check_columns(context: SourceContext, needed: dict[str, str], issues: IssueLog) -> list[str]:
    """Report each needed column that the source lacks; returns their names.

    Raises:
        ReadError: if they cannot be read.
    """
    parts = read_columns_by_part(context.source, context.folder)
    available = list(dict.fromkeys(name for _, names in parts for name in names))
    missing = {name: key for name, key in needed.items() if name not in available}
    unknown = UnknownColumns(tuple(needed), context.source, context.folder)
    for name, key in missing.items():
        hint = did_you_mean(name, available)
        right = next_step(trials(unknown), hint) if len(missing) == len(needed) else hint
        issues.no_column(key, name, right)
    if getattr(context.source, "fill_columns", False):
        return list(missing)
    partly = absent_columns(parts, [name for name in needed if name not in missing])
    for name, reason, right in partly:
        issues.problem(needed[name], name, reason, right)
    return [*missing, *(name for name, _, _ in partly)]


def drop_empty_rows(
    table: RawTable, issues: IssueLog, word: str = "row", files: tuple[str, ...] = ()
) -> tuple[pl.DataFrame, Ints]:
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
    plural, shown = "s" if count != 1 else "", rows_text(rows_R[empty_R], word, files)
    text = f"{count} empty {word}{plural} left out ({shown})"
    issues.note("empty", "rows", count, text)
    return frame.filter(pl.Series(~empty_R)), rows_R[~empty_R]


def _numbered(table: RawTable) -> Ints:
    return table.first_row + np.arange(table.frame.height, dtype=np.int64) // table.rows_each


def merge_issues(issues: IssueLog, batch_issues: IssueLog) -> None:
    """Merge a batch's problems and findings into `issues`; repetitions extend earlier entries."""
    for name, tally in batch_issues.cells.items():
        issues.cells.setdefault(name, ColumnTally(tally.never_fraction)).merge(tally)
    issues.repeated.merge(batch_issues.repeated)
    issues.dropped.merge(batch_issues.dropped)
    issues.hours.merge(batch_issues.hours)
    known = {_problem_key(problem): n for n, problem in enumerate(issues.problems)}
    for problem in batch_issues.problems:
        n = known.get(_problem_key(problem))
        if n is None:
            issues.problems.append(problem)
        else:
            one = issues.problems[n]
            issues.problems[n] = replace(one, reason=one.reason.removesuffix(MORE) + MORE)
    position = {_finding_key(finding): n for n, finding in enumerate(issues.findings)}
    for finding in batch_issues.findings:
        n = position.get(_finding_key(finding))
        if n is None:
            issues.findings.append(finding)
        else:
            first = issues.findings[n]
            text = first.text.removesuffix(MORE) + MORE
            issues.findings[n] = replace(first, count=first.count + finding.count, text=text)


def _problem_key(problem: Problem) -> tuple[str, str]:
    """A problem's key and reason, without the row numbers."""
    reason = problem.reason.removesuffix(MORE)
    return problem.key, NUMBERED.split(reason)[0]


def _finding_key(finding: Finding) -> tuple[str, str, str]:
    return finding.severity, finding.what, finding.where
