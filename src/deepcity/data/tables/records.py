"""Records: one source's values by time, place and field, and the step of its rows.

Shapes: R rows, T distinct times, N places, F fields of this source.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Doubles, Indices, Ints
from deepcity.city.clock import Clock
from deepcity.city.field import Resample
from deepcity.city.problem import Cause
from deepcity.data.config.duration import duration_text
from deepcity.data.config.settings import FieldSettings
from deepcity.data.config.source import SourceSettings
from deepcity.data.findings import FILE_ROWS, IssueLog
from deepcity.data.sheet import Sheet
from deepcity.data.tables.duplicates import resolve_duplicates
from deepcity.data.timestamps.dst import NO_TIME, wall_text

MAX_STEPS_PER_ROW = 50  # fewer than one time per so many steps suggests a mistyped year


@dataclass(frozen=True)
class Records:
    """One source's values.

    Attributes:
        time_T: start of each value's interval, UTC seconds, ascending.
        step_s: the step of the source's rows.
        values_TNF: in each field's unit; NaN where not measured.
        values_step_s: the step of the values: the rows' own, or the clock's if they are
            already resampled to it.
        times: how many distinct times the rows have.
    """

    time_T: Ints
    step_s: int
    values_TNF: NDArray[np.floating]
    values_step_s: int
    times: int


def rows_to_keep(utc_R: Ints, values: Doubles, sheet: Sheet) -> Indices:
    """Positions of the rows to keep; warns of unsorted rows and resolves duplicates."""
    known = np.flatnonzero(utc_R != NO_TIME)
    order = known[np.argsort(sheet.place_R[known], kind="stable")]
    falls = (np.diff(utc_R[order]) < 0) & (np.diff(sheet.place_R[order]) == 0)
    falls &= np.diff(sheet.rows_R[order] // FILE_ROWS) == 0  # files may come in any order
    if falls.any():
        rows = sheet.rows_text(order[1:][falls])
        text = f"times are not in order; rows were sorted (earlier than the row above: {rows})"
        sheet.issues.warn("unsorted", "time", int(falls.sum()), text)
    return resolve_duplicates(utc_R, values, sheet)


def check_enough_times(times: int, issues: IssueLog) -> bool:
    """Whether there are enough times to have a step; reports a problem if not."""
    if times < 2:
        right, cause = "give records of several days", Cause("few-times", times)
        issues.problem("rows", times, "fewer than two times", right, cause=cause)
    return times >= 2


def resample_rule(field: FieldSettings, source: SourceSettings) -> Resample:
    """The resampling rule of a field: its kind's, or LAST where values are carried forward."""
    return Resample.LAST if source.stays is not None else field.kind.resample


def check_off_step(time_S: Ints, step_s: int, clock: Clock, issues: IssueLog) -> None:
    """Note rows whose times lie between the regular steps."""
    off = int(((time_S - time_S[0]) % min(step_s, clock.step_s) != 0).sum())
    if off:
        row_step = duration_text(step_s)
        text = (
            f"{off:,} times lie between steps of {row_step}; each counts for the step it falls in"
        )
        issues.note("off-step", "time", off, text)


def check_span(first_s: int, last_s: int, times: int, step_s: int, issues: IssueLog) -> None:
    """Report times that fill too little of their span, as a mistyped year would cause."""
    steps = (last_s - first_s) // step_s + 1
    if steps > MAX_STEPS_PER_ROW * times:
        span = f"{wall_text(first_s)} .. {wall_text(last_s)} UTC"
        share = f"under {100 // MAX_STEPS_PER_ROW} % of this span"
        reason = f"{times:,} times at a step of {duration_text(step_s)} fill {share}"
        right = "look for a mistyped year, or state time.step if rows are rarer"
        issues.problem("time", span, reason, right, cause=Cause("wide-span", times))
