"""Records: one source's values by time, place and field, and the step its rows keep.

Shapes: R rows, T distinct times, N places, F fields of this source.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcity.city.clock import Clock
from deepcity.city.field import Resample
from deepcity.data.duplicates import settle_duplicates
from deepcity.data.duration import duration_text
from deepcity.data.findings import Notebook
from deepcity.data.settings import FieldSettings
from deepcity.data.settle import NO_TIME, wall_text
from deepcity.data.sheet import Sheet
from deepcity.data.source import SourceSettings

Seconds = NDArray[np.int64]
Values = NDArray[np.float64]

SPARSEST = 50  # a panel with fewer than one row in so many steps is a mistyped year


@dataclass(frozen=True)
class Records:
    """One source's values.

    Attributes:
        time_T: start of each value's interval, UTC seconds, rising.
        step_s: the step of the source's rows.
        values_TNF: in each field's unit; NaN where not measured.
        values_step_s: the step of the values: the rows' own, or the clock's where they have
            been brought to it already.
        times: how many different times the rows have.
    """

    time_T: Seconds
    step_s: int
    values_TNF: NDArray[np.floating]
    values_step_s: int
    times: int


def kept_rows(utc_R: Seconds, values: Values, sheet: Sheet) -> NDArray[np.intp]:
    """The rows to keep, after telling which are out of order and settling doubled ones."""
    known = np.flatnonzero(utc_R != NO_TIME)
    order = known[np.argsort(sheet.place_R[known], kind="stable")]
    falls = (np.diff(utc_R[order]) < 0) & (np.diff(sheet.place_R[order]) == 0)
    if falls.any():
        rows = sheet.rows_text(order[1:][falls])
        text = f"times are not in order; rows were sorted (earlier than the one above: {rows})"
        sheet.book.warn("unsorted", "time", int(falls.sum()), text)
    return settle_duplicates(utc_R, values, sheet)


def see_enough(times: int, book: Notebook) -> bool:
    """Whether there are times enough to have a step; tells if not."""
    if times < 2:
        book.problem("rows", times, "fewer than two times", "give records of some days")
    return times >= 2


def rule_of(field: FieldSettings, source: SourceSettings) -> Resample:
    """How a field's rows become a step: by its kind, or, where values stay, the last one."""
    return Resample.LAST if source.stays is not None else field.kind.resample


def see_off_step(time_S: Seconds, step_s: int, clock: Clock, book: Notebook) -> None:
    """Tell of rows that stand between the steps of the others."""
    off = int(((time_S - time_S[0]) % min(step_s, clock.step_s) != 0).sum())
    if off:
        own = duration_text(step_s)
        text = f"{off:,} times stand between steps of {own}; each counts for the step it falls in"
        book.note("off-step", "time", off, text)


def see_span(first_s: int, last_s: int, times: int, step_s: int, book: Notebook) -> None:
    """A mistyped year would make a panel of nothing but gaps."""
    steps = (last_s - first_s) // step_s + 1
    if steps > SPARSEST * times:
        span = f"{wall_text(first_s)} .. {wall_text(last_s)} UTC"
        share = f"under {100 // SPARSEST} % of this span"
        reason = f"{times:,} times at a step of {duration_text(step_s)} fill {share}"
        right = "look for a mistyped year, or state time.step if rows are rarer"
        book.problem("time", span, reason, right)
