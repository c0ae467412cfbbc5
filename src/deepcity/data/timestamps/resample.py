"""Resamples records from their own step to the clock's, by the rule of each field's kind.

Finer records are aggregated into the step they fall in:
    mean, max   need at least half of the step's rows measured
    sum         needs all of them: a missing row would count as 0
    last        the last one measured in the step
Coarser records are accepted only with `spread`: an amount (sum) is divided equally over the
finer steps, other values are repeated. A step without a row is never filled.

Shapes: T steps of the clock, S rows of the source, K = places x fields.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles, Indices, Ints
from deepcity.city.clock import Clock
from deepcity.city.field import Resample
from deepcity.data.timestamps.zones import standard_offset_s

MIN_MEASURED_SHARE = {Resample.MEAN: 0.5, Resample.MAX: 0.5, Resample.SUM: 1.0, Resample.LAST: 0.0}
"""Share of a step's rows that must be measured; at least one always."""


@dataclass(frozen=True)
class Grid:
    """The clock's steps from a first to a last: start_s, start_s + step_s, ..."""

    start_s: int
    step_s: int
    steps: int

    @property
    def time_T(self) -> Ints:
        """Start of each step, UTC seconds."""
        return self.start_s + np.arange(self.steps, dtype=np.int64) * self.step_s

    def index(self, time_S: Ints) -> Ints:
        """The step each time falls in."""
        return (time_S - self.start_s) // self.step_s


def grid_over(clock: Clock, first_s: int, end_s: int) -> Grid:
    """The clock's steps that touch [first_s, end_s).

    Steps are counted from midnight of the zone's standard time, so that all agencies of a
    city share them; with steps of a day, summer days run from 01:00 to 01:00.
    """
    anchor = -standard_offset_s(clock.time_zone, first_s) % clock.step_s
    start_s = first_s - (first_s - anchor) % clock.step_s
    return Grid(start_s, clock.step_s, -(-(end_s - start_s) // clock.step_s))


def steps_divide(source_step_s: int, step_s: int) -> bool:
    """Whether one of two steps divides the other."""
    return max(source_step_s, step_s) % min(source_step_s, step_s) == 0


def onto_grid(
    time_S: Ints, values_SK: Doubles, source_step_s: int, rule: Resample, grid: Grid
) -> Doubles:
    """Values on the grid's steps, shape (T, K); NaN where too little was measured.

    Raises:
        ValueError: if neither step divides the other.
    """
    if not steps_divide(source_step_s, grid.step_s):
        msg = f"steps of {source_step_s} s and {grid.step_s} s do not divide each other"
        raise ValueError(msg)
    if source_step_s > grid.step_s:
        time_S, values_SK = _spread(time_S, values_SK, source_step_s, rule, grid.step_s)
        source_step_s = grid.step_s
    bins = grid.index(time_S)
    inside = (bins >= 0) & (bins < grid.steps)
    starts = np.flatnonzero(np.diff(bins[inside], prepend=-1))
    result_TK = np.full((grid.steps, values_SK.shape[1]), np.nan)
    if len(starts):
        expected = grid.step_s // source_step_s
        merged = _merge(values_SK[inside], starts, rule, expected)
        result_TK[bins[inside][starts]] = merged
    return result_TK


def onto_steps(
    time_S: Ints, values_SFN: Doubles, expected: int, rules: Sequence[Resample], grid: Grid
) -> tuple[Ints, Doubles]:
    """Rows ordered by time -> the grid's steps that have rows, and their values (T, F, N).

    A step needs its rule's share of `expected` rows, and at least one.
    """
    bins = grid.index(time_S)
    starts = np.flatnonzero(np.diff(bins, prepend=-1))
    values_TFN = np.empty((len(starts), *values_SFN.shape[1:]))
    for f, rule in enumerate(rules):
        values_TFN[:, f] = _merge(values_SFN[:, f], starts, rule, expected)
    return grid.time_T[bins[starts]], values_TFN


def rows_onto_grid(
    time_R: Ints,
    place_R: Ints,
    values_RF: Doubles,
    places: int,
    expected: int,
    rules: Sequence[Resample],
    grid: Grid,
) -> Doubles:
    """Rows with a time and place each, in any order -> values on the grid's steps, (T, N, F).

    A step needs its rule's share of `expected` rows, and at least one.
    """
    result_TNF = np.full((grid.steps, places, len(rules)), np.nan)
    bins_R = grid.index(time_R)
    order = np.lexsort((time_R, place_R, bins_R))
    bins_R, place_R, values_RF = bins_R[order], place_R[order], values_RF[order]
    new_R = (np.diff(bins_R, prepend=-1) != 0) | (np.diff(place_R, prepend=-1) != 0)
    starts = np.flatnonzero(new_R)
    for f, rule in enumerate(rules if len(starts) else ()):
        merged_G1 = _merge(values_RF[:, [f]], starts, rule, expected)
        result_TNF[bins_R[starts], place_R[starts], f] = merged_G1[:, 0]
    return result_TNF


def forward_fill(values_TK: Doubles, max_steps: int) -> Doubles:
    """Carry the last measured value forward, for at most `max_steps` steps, shape (T, K)."""
    steps_T1 = np.arange(len(values_TK))[:, None]
    last_TK = np.maximum.accumulate(np.where(np.isfinite(values_TK), steps_T1, -1), axis=0)
    held_TK = np.take_along_axis(values_TK, np.maximum(last_TK, 0), axis=0)
    return np.where((last_TK >= 0) & (steps_T1 - last_TK <= max_steps), held_TK, np.nan)


def _spread(
    time_S: Ints, values_SK: Doubles, source_step_s: int, rule: Resample, step_s: int
) -> tuple[Ints, Doubles]:
    parts = source_step_s // step_s
    time_P = (time_S[:, None] + np.arange(parts) * step_s).reshape(-1)
    values_PK = np.repeat(values_SK, parts, axis=0)
    return time_P, values_PK / parts if rule is Resample.SUM else values_PK


def _merge(values_SK: Doubles, starts: Indices, rule: Resample, expected: int) -> Doubles:
    """Rows of each group (from one start to the next) -> one row."""
    measured_SK = np.isfinite(values_SK)
    count_GK = np.add.reduceat(measured_SK.astype(np.int64), starts, axis=0)
    enough_GK = count_GK >= max(1.0, MIN_MEASURED_SHARE[rule] * expected)
    match rule:
        case Resample.MEAN | Resample.SUM:
            merged_GK = np.add.reduceat(np.where(measured_SK, values_SK, 0.0), starts, axis=0)
            if rule is Resample.MEAN:
                merged_GK = merged_GK / np.maximum(count_GK, 1)
        case Resample.MAX:
            merged_GK = np.maximum.reduceat(
                np.where(measured_SK, values_SK, -np.inf), starts, axis=0
            )
        case Resample.LAST:
            row_SK = np.where(measured_SK, np.arange(len(values_SK))[:, None], 0)
            last_GK = np.maximum.reduceat(row_SK, starts, axis=0)
            merged_GK = np.take_along_axis(values_SK, last_GK, axis=0)
    result_GK: Doubles = np.where(enough_GK, merged_GK, np.nan)
    return result_GK
