"""Tables that hold a value only where it has changed: what a blank means, and for how long.

Two things in the records themselves decide it. Of a state that moves in steps of 1 and is written
each time, as many values repeat the one before them as differ by 1; where steps of 1 are common
and repeats are none, repeats were not written. And rows at even distances in which values are
written again, changed or not, tell how long a blank may mean "as before": the next such row would
have shown otherwise.

Shapes: R rows; C columns.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from deepcity.city.arrays import Bools, Doubles, Ints
from deepcity.data.timestamps.hour_headers import HOUR_S

MIN_BLANK = 0.2  # share of cells
MAX_REPEATS = 0.1  # of changes, and of steps of 1 in the direction that has fewer
USUAL = 0.5  # repeats, of such steps: as many as of values that are written each time
MIN_STEPS = 50  # of 1, in either direction
MIN_CELLS = 200
PERIODS_S = tuple(hours * HOUR_S for hours in (1, 2, 3, 4, 6, 8, 12, 24))
NEAR_S = 300  # how far the rows of a period may lie from its even times
FULL = 0.6  # share of the columns that such a row holds
FILLED = 0.8  # share of periods that have such a row, and of such rows that hold a column
REPEATING = 0.5  # share of such rows in which a value repeats
MIN_AGAIN = 5  # of these


@dataclass(frozen=True)
class ChangeLog:
    """What shows that a table holds changes only.

    Attributes:
        steps_of_one: changes by 1, up or down.
        repeats: values equal to the one before them, in rows that do not write values again.
        again_s: seconds between rows that write values again; None where there are none such.
        others: columns that these rows mostly leave blank, or that repeat values in other rows.
        sure: whether steps of 1 are common enough for repeats to be missed.
    """

    steps_of_one: int
    repeats: int
    again_s: int | None
    others: tuple[str, ...]
    sure: bool

    @property
    def stays_s(self) -> int | None:
        """How long a value stays; None where the records do not show it for every column."""
        return self.again_s if self.sure and not self.others else None


def has_blanks(column: pl.Series) -> bool:
    """Whether enough cells are empty: a word for "not measured" is no blank.

    >>> has_blanks(pl.Series(["1", None, " "])), has_blanks(pl.Series(["1", "off"]))
    (True, False)
    """
    empty = column.is_null()
    if column.dtype == pl.String:
        empty |= column.str.strip_chars() == ""
    return bool((empty.fill_null(value=True)).mean() > MIN_BLANK)  # type: ignore[operator]


def change_log(values: Mapping[str, Doubles], time_s_R: Ints) -> ChangeLog | None:
    """What a table that may hold changes only shows of it; None for one that does not.

    Args:
        values: column -> its numbers, (R,); NaN where there is none.
        time_s_R: the time of each row in seconds; empty where it is not known.
    """
    cells_RC = np.column_stack(list(values.values())) if values else np.empty((0, 0))
    known_RC = np.isfinite(cells_RC)
    if known_RC.sum() < MIN_CELLS or (~known_RC).mean() <= MIN_BLANK:
        return None
    if (cells_RC[known_RC] != np.floor(cells_RC[known_RC])).any():
        return None
    step_RC = _steps(cells_RC)
    repeat_RC, change_RC = step_RC == 0, np.isfinite(step_RC) & (step_RC != 0)
    if repeat_RC.sum() >= MAX_REPEATS * change_RC.sum():
        return None
    again_R, again_s = _written_again(time_s_R, repeat_RC.sum(axis=1), known_RC)
    repeats_C = repeat_RC[~again_R].sum(axis=0)
    changes_C = change_RC.sum(axis=0)
    odd_C = (changes_C >= MIN_STEPS) & (repeats_C >= MAX_REPEATS * changes_C)
    odd_C |= _share_held(known_RC, again_R) < FILLED
    up, down = int((step_RC == 1).sum()), int((step_RC == -1).sum())
    if min(up, down) >= MIN_STEPS and repeats_C.sum() >= USUAL * min(up, down):
        return None
    sure = min(up, down) >= MIN_STEPS and repeats_C.sum() < MAX_REPEATS * min(up, down)
    others = tuple(name for name, odd in zip(values, odd_C, strict=True) if odd)
    return ChangeLog(up + down, int(repeats_C.sum()), again_s, others, bool(sure))


def _steps(cells_RC: Doubles) -> Doubles:
    """What each cell adds to the last one of its column that holds a number; NaN at the first."""
    steps_RC = np.full_like(cells_RC, np.nan)
    for column in range(cells_RC.shape[1]):
        rows = np.flatnonzero(np.isfinite(cells_RC[:, column]))
        steps_RC[rows[1:], column] = np.diff(cells_RC[rows, column])
    return steps_RC


def _written_again(time_s_R: Ints, repeats_R: Ints, known_RC: Bools) -> tuple[Bools, int | None]:
    """Rows that write values again, (R,), and the seconds between them; none if nothing tells."""
    found: list[tuple[Bools, int | None]] = [(np.zeros(len(known_RC), dtype=bool), None)]
    full_R = known_RC.sum(axis=1) >= FULL * known_RC.any(axis=0).sum()
    part_R = np.round(time_s_R / NEAR_S).astype(np.int64)
    for period_s in PERIODS_S if len(time_s_R) == len(full_R) else ():
        parts = period_s // NEAR_S
        usual = np.bincount(part_R % parts, weights=repeats_R).argmax()
        at_R = full_R & (part_R % parts == usual)
        times, again = (
            len(np.unique(part_R[rows_R] // parts)) for rows_R in (at_R, at_R & (repeats_R > 0))
        )
        periods = (time_s_R.max() - time_s_R.min()) / period_s
        if times >= FILLED * periods and again >= max(MIN_AGAIN, REPEATING * times):
            found.append((at_R, period_s))
    others = [int(repeats_R[~at_R].sum()) for at_R, _ in found]
    near = [
        one
        for one, count in zip(found, others, strict=True)
        if count <= 2 * min(others) + MIN_AGAIN
    ]
    return near[-1]


def _share_held(known_RC: Bools, again_R: Bools) -> Doubles:
    """Share of some rows in which a column holds a number, from its first to its last, (C,)."""
    shares_C = np.ones(known_RC.shape[1])
    for column in range(len(shares_C)):
        rows = np.flatnonzero(known_RC[:, column])
        within = np.flatnonzero(again_R[rows[0] : rows[-1] + 1]) + rows[0] if len(rows) else rows
        if len(within):
            shares_C[column] = known_RC[within, column].mean()
    return shares_C
