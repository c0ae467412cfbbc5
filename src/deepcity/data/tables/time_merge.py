"""Spooled rows -> records: wall times resolved, rows resampled to the clock's step.

Rows no coarser than the clock's step are merged here, one block of time after another, so that
a file larger than memory needs little more memory than its panel.

Shapes: R rows, T times, N places, F values of a row: its fields, or, of a row of a wide table,
all places of the first field, then of the next.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deepcity.city.arrays import Doubles, Ints
from deepcity.city.clock import Clock
from deepcity.data.config.duration import duration_text
from deepcity.data.config.time_settings import Stamp, TimeSettings
from deepcity.data.findings import IssueLog
from deepcity.data.remedies import next_step, trials
from deepcity.data.remedies.clock_step import UnfitSteps
from deepcity.data.sheet import Sheet
from deepcity.data.tables.batches import SourceContext, merge_issues
from deepcity.data.tables.records import (
    Records,
    check_enough_times,
    check_off_step,
    check_span,
    rows_to_keep,
)
from deepcity.data.tables.spool import Rows, Spool
from deepcity.data.tables.totals import TotalColumn, difference_rows, report_totals
from deepcity.data.tables.unique_rows import UniqueRows
from deepcity.data.timestamps.dst import resolve_wall_times, wall_text
from deepcity.data.timestamps.resample import Grid, grid_over
from deepcity.data.timestamps.step_change import Steps, find_steps
from deepcity.data.timestamps.zones import utc_candidates


@dataclass(frozen=True)
class RowMerger:
    """How rows become values by time, place and field, shape (T, N, F).

    Attributes:
        to_grid: rows, the expected rows per step, and the clock's steps they fall in -> times of
            some of these steps, ascending, and their values.
        unmerged: rows that keep their own step -> their times, ascending, and their values.
    """

    to_grid: Callable[[UniqueRows, int, Grid], tuple[Ints, Doubles]]
    unmerged: Callable[[UniqueRows], tuple[Ints, Doubles]]


def merge_spooled_rows(
    spool: Spool,
    blocks: Callable[[], Iterable[Rows]],
    context: SourceContext,
    row_merger: RowMerger,
    clock: Clock,
    issues: IssueLog,
    *,
    wall: bool,
    totals: Sequence[TotalColumn] = (),
) -> Records | None:
    """Records of all rows, or None where problems were found.

    Args:
        spool: holds the rows.
        blocks: yields the spool's rows in blocks of time.
        context: the source they come from.
        row_merger: how they become values.
        clock: has the step to resample them to.
        issues: collects problems and findings.
        wall: whether their times are wall-clock times.
        totals: columns of running totals, which are differenced.
    """
    before = len(issues.problems)
    sheet = _sheet(context, issues)
    first, last = spool.span
    alone = context.source.is_feed and first == last  # the first row of a feed
    if not alone and not check_enough_times((first <= last) + (first < last), issues):
        return None
    steps = _steps(spool, context.time)
    change_s = None if context.source.stays is not None else steps.change_s
    if change_s is not None and wall:
        change_s = int(utc_candidates(np.array([change_s]), context.zone).earlier_R[0])
    unique_rows: Iterable[UniqueRows] = (_to_utc(rows, sheet, wall=wall) for rows in blocks())
    if totals:
        ends = context.time.stamp is not Stamp.START
        longest_s = steps.main_s if change_s is None else max(steps.before_s, steps.after_s)
        unique_rows = difference_rows(unique_rows, totals, longest_s, ends=ends)
    records = _records_of(unique_rows, sheet, steps, row_merger, clock, change_s)
    report_totals(totals, issues)
    if records is None and len(issues.problems) == before:
        check_enough_times(0, issues)
    return None if len(issues.problems) > before else records


def check_times(
    blocks: Iterable[Rows], context: SourceContext, issues: IssueLog, *, wall: bool
) -> None:
    """Report problems with the times of rows that are rejected for other reasons."""
    for rows in blocks:
        _to_utc(rows, _sheet(context, issues), wall=wall)


def _sheet(context: SourceContext, issues: IssueLog) -> Sheet:
    empty = np.empty(0, dtype=np.int64)
    return Sheet(
        pl.DataFrame(),
        empty,
        empty,
        context.source,
        context.time,
        context.zone,
        issues,
        files=context.files,
    )


def _to_utc(rows: Rows, sheet: Sheet, *, wall: bool) -> UniqueRows:
    """Rows in UTC, one per time and place; empty where the wall times cannot be resolved."""
    own = IssueLog(sheet.issues.file)
    sheet_ = replace(sheet, rows_R=rows["row"], place_R=rows["place"], issues=own)
    utc_R = resolve_wall_times(rows["time"], sheet_) if wall else rows["time"]
    values_RF = rows["values"].copy()
    kept = np.empty(0, dtype=np.intp) if utc_R is None else rows_to_keep(utc_R, values_RF, sheet_)
    utc_R = rows["time"] if utc_R is None else utc_R
    merge_issues(sheet.issues, own)
    order = kept[np.argsort(utc_R[kept], kind="stable")]
    return UniqueRows(utc_R[order], rows["place"][order], values_RF[order])


def _steps(spool: Spool, time: TimeSettings) -> Steps:
    """The stated step, or the most frequent time between two rows of a place, and its change."""
    if time.step is None:
        return find_steps(spool.blocks(), spool.span)
    step_s = int(time.step.total_seconds())
    return Steps(step_s, step_s, step_s)


def _records_of(
    blocks: Iterable[UniqueRows],
    sheet: Sheet,
    steps: Steps,
    row_merger: RowMerger,
    clock: Clock,
    change_s: int | None,
) -> Records | None:
    """All blocks; where the step changes, each part by its own step.

    Args:
        change_s: UTC seconds of the first row of the new step, or None.
    """
    if change_s is None:
        return _records(blocks, sheet, steps.main_s, row_merger, clock)
    shown = wall_text(steps.change_s or 0)
    before, after = duration_text(steps.before_s), duration_text(steps.after_s)
    text = f"the step of the rows changes from {before} to {after} at {shown}"
    longer_s = max(steps.before_s, steps.after_s)
    if longer_s > clock.step_s:
        unfit = UnfitSteps((steps.before_s, steps.after_s), clock.step_s)
        right = next_step(trials(unfit), "read them as two sources")
        sheet.issues.problem("time.step", shown, text, right)
        return None
    text += f"; each part was resampled to {duration_text(clock.step_s)} by its own step"
    sheet.issues.warn("step-change", "time", 1, text)
    early, late = _split(blocks, change_s, ends=sheet.time.stamp is Stamp.END)
    parts = [
        _records(early, sheet, steps.before_s, row_merger, clock),
        _records(late, sheet, steps.after_s, row_merger, clock),
    ]
    return _one_after_the_other([part for part in parts if part is not None])


def _split(
    blocks: Iterable[UniqueRows], change_s: int, *, ends: bool
) -> tuple[Iterator[UniqueRows], Iterator[UniqueRows]]:
    """Blocks before a change and after it, the first to be read before the second."""
    rows_left: list[UniqueRows] = []
    rest = iter(blocks)

    def early() -> Iterator[UniqueRows]:
        for rows in rest:
            cut = int(np.searchsorted(rows.time_R, change_s, side="right" if ends else "left"))
            if cut:
                yield rows.take(slice(cut))
            if cut < len(rows):
                rows_left.append(rows.take(slice(cut, None)))
                return

    def late() -> Iterator[UniqueRows]:
        yield from rows_left
        yield from rest

    return early(), late()


def _one_after_the_other(parts: list[Records]) -> Records | None:
    """Records in a row; a step that two of them share is missing, as it has rows of both."""
    if not parts:
        return None
    time_T = np.concatenate([part.time_T for part in parts])
    values_TNF = np.concatenate([part.values_TNF for part in parts])
    again = np.flatnonzero(np.diff(time_T) == 0)
    values_TNF[again] = np.nan
    keep = np.setdiff1d(np.arange(len(time_T)), again + 1)
    step_s, times = min(part.step_s for part in parts), sum(part.times for part in parts)
    return Records(time_T[keep], step_s, values_TNF[keep], parts[0].values_step_s, times)


def _records(
    blocks: Iterable[UniqueRows], sheet: Sheet, step_s: int, row_merger: RowMerger, clock: Clock
) -> Records | None:
    """All blocks on the clock's step, or on the rows' own step where that is coarser."""
    coarse = step_s > clock.step_s
    merged: list[tuple[Ints, NDArray[np.floating]]] = []
    times, carried_over, base = 0, None, None
    for rows in blocks:
        if not len(rows):
            continue
        times += len(np.unique(rows.time_R))
        stamped = _shifted_to_start(rows, step_s, sheet)
        first_s = int(stamped.time_R[0])
        base = base or (first_s, grid_over(clock, first_s, first_s + 1))
        _check_steps(stamped, base[0], step_s, clock, sheet)
        known = stamped if carried_over is None else carried_over.joined(stamped)
        cut_s = int(known.time_R[-1] if coarse else _grid(known, base[1]).time_T[-1])
        cut = int(np.searchsorted(known.time_R, cut_s))
        carried_over = known.take(slice(cut, None))  # the next block may hold more of the last step
        if cut:
            merged.append(_merged(known.take(slice(cut)), step_s, row_merger, clock, base[1]))
    if carried_over is None or base is None:
        return None
    merged.append(_merged(carried_over, step_s, row_merger, clock, base[1]))
    time_T = np.concatenate([time for time, _ in merged])
    if not sheet.source.is_feed:  # whose rows of other years were refused
        check_span(int(time_T[0]), int(time_T[-1]), times, step_s, sheet.issues)
    values_TNF = np.concatenate([values for _, values in merged])
    return Records(time_T, step_s, values_TNF, max(step_s, clock.step_s), times)


def _check_steps(rows: UniqueRows, first_s: int, step_s: int, clock: Clock, sheet: Sheet) -> None:
    """Note rows between the steps; rows that keep their own step are checked later."""
    if step_s > clock.step_s:
        return
    own = IssueLog(sheet.issues.file)
    time_S = np.concatenate(([first_s], np.unique(rows.time_R)))
    check_off_step(time_S, step_s, clock, own)
    merge_issues(sheet.issues, own)


def _shifted_to_start(rows: UniqueRows, step_s: int, sheet: Sheet) -> UniqueRows:
    """The rows with times at the start of their interval."""
    early_s = step_s if sheet.time.stamp is Stamp.END else 0
    return replace(rows, time_R=rows.time_R - early_s)


def _grid(rows: UniqueRows, base: Grid) -> Grid:
    """The clock's steps from the first row to the last, aligned with those of the first block."""
    first, last = (int(step) for step in base.index(rows.time_R[[0, -1]]))
    return Grid(base.start_s + first * base.step_s, base.step_s, last - first + 1)


def _merged(
    rows: UniqueRows, step_s: int, row_merger: RowMerger, clock: Clock, base: Grid
) -> tuple[Ints, NDArray[np.floating]]:
    """Times and values on the clock's step (as float32), or on the rows' own step."""
    if step_s > clock.step_s:
        return row_merger.unmerged(rows)
    time_T, values_TNF = row_merger.to_grid(rows, clock.step_s // step_s, _grid(rows, base))
    return time_T, values_TNF.astype(np.float32)
