"""The typical day: the mean of a place at this time on similar days.

It is the seasonal baseline of every forecast (networks learn the deviation from it).
A day's typical values are a weighted mean over *other* days: weight 1 for the same weekday,
less for another day of the same type (working day or weekend), decaying with age.
Days in the future of a forecast are never used; only in a place's first weeks, with little
history, other training days on both sides are (never the day itself).
"Future" is counted in steps, not in days: where the clocks skip an hour, the same wall time
of yesterday is only 23 hours back.

Shapes: T steps, D days, S slots of a day, N places.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Bools, Doubles, Floats, Ints
from deepcity.city.clock import DAY_S, Clock

SUNDAY = 6
_EARLY_DAYS = 21
_NOTHING = 1e-9
_PLACES_AT_ONCE = 8192  # days and slots are summed in doubles: ten times the records' memory
_LAST_RESORT = 1e-4  # weight of a day of another type: matters only where no better one is known


@dataclass(frozen=True)
class DaySimilarity:
    """How similar two days are.

    Attributes:
        memory_days: age at which a day's weight has fallen to 1/e.
        same_day_type: weight of another weekday of the same type (the same weekday has 1).
        reach_days: days further back have no weight.
        smooth_minutes: standard deviation of the smoothing along the day; 0 for none.
    """

    memory_days: float = 14.0
    same_day_type: float = 0.3
    reach_days: int = 56
    smooth_minutes: float = 20.0


@dataclass(frozen=True)
class DayGrid:
    """Where each step of a panel lies on the days of its city: day number and slot.

    Days and slots are local wall time. An hour that the clocks repeat shares one slot,
    an hour they skip stays empty.
    """

    day_T: Ints
    slot_T: Ints
    weekday_D: Ints
    days: int
    slots: int

    def fold(self, values_TN: Floats) -> tuple[Doubles, Doubles]:
        """Steps -> (sum, count) of measured values by day and slot, each (D, S, N)."""
        shape = (self.days, self.slots, values_TN.shape[1])
        total, count = np.zeros(shape), np.zeros(shape)
        known = np.isfinite(values_TN)
        where = (self.day_T[: len(values_TN)], self.slot_T[: len(values_TN)])
        values_TN = np.where(known, values_TN, 0.0)
        if len(np.unique(where[0] * self.slots + where[1])) == len(values_TN):
            total[where], count[where] = values_TN, known  # ten times as fast as a sum
            return total, count
        np.add.at(total, where, values_TN)
        np.add.at(count, where, known)
        return total, count

    def shifts(self) -> tuple[Ints, Ints]:
        """Least and greatest step of each day less its slot, (D,) each: from any slot of day j to
        the same slot of day i it is at least the first of i less the second of j.
        """
        shift_T = np.arange(len(self.day_T)) - (self.day_T * self.slots + self.slot_T)
        least_D = np.full(self.days, np.iinfo(np.int64).max)
        most_D = np.full(self.days, np.iinfo(np.int64).min)
        np.minimum.at(least_D, self.day_T, shift_T)
        np.maximum.at(most_D, self.day_T, shift_T)
        day_D = np.arange(self.days) * self.slots
        return day_D + least_D, day_D + most_D

    def unfold(self, values_DSN: Doubles) -> Floats:
        """Day and slot -> steps, (T, N)."""
        return np.asarray(values_DSN[self.day_T, self.slot_T], dtype=np.float32)


def day_grid(clock: Clock, time_T: Ints) -> DayGrid:
    """The local days and slots of steps (UTC seconds); holidays count as Sundays."""
    local = clock.local_seconds(time_T)
    day = local // DAY_S
    first = int(day[0])
    days = int(day[-1]) - first + 1
    weekday = (np.arange(first, first + days) + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0
    weekday[np.isin(np.arange(first, first + days), clock.holiday_numbers)] = SUNDAY
    slot = local % DAY_S // clock.step_s
    return DayGrid(day - first, slot, weekday, days, clock.steps_per_day)


def typical_day(
    values_TN: Floats,
    grid: DayGrid,
    clock: Clock,
    *,
    train_end: int,
    ahead: int = 1,
    frozen: bool = False,
    similarity: DaySimilarity | None = None,
) -> Floats:
    """The typical values of `typical_values` alone."""
    return typical_values(
        values_TN,
        grid,
        clock,
        train_end=train_end,
        ahead=ahead,
        frozen=frozen,
        similarity=similarity,
    )[0]


def typical_values(
    values_TN: Floats,
    grid: DayGrid,
    clock: Clock,
    *,
    train_end: int,
    ahead: int = 1,
    frozen: bool = False,
    similarity: DaySimilarity | None = None,
) -> tuple[Floats, Floats]:
    """Typical values for every step, from values at least `ahead` steps before it.

    Args:
        values_TN: measured values, NaN where missing.
        train_end: first step after the training span.
        ahead: steps between the newest known value and the step (1: the next step); a day
            is used whole or not at all.
        frozen: use days of the training span only, as published protocols do.

    Returns:
        Typical values, (T, N); the place's training mean where no similar day is known, and 0
        where a place has no training value. And effective days, (T, N): the sum of the weights
        of the days that had a value.
    """
    if values_TN.shape[1] > _PLACES_AT_ONCE:
        parts = [
            typical_values(
                values_TN[:, first : first + _PLACES_AT_ONCE],
                grid,
                clock,
                train_end=train_end,
                ahead=ahead,
                frozen=frozen,
                similarity=similarity,
            )
            for first in range(0, values_TN.shape[1], _PLACES_AT_ONCE)
        ]
        return (
            np.concatenate([typical for typical, _ in parts], axis=1),
            np.concatenate([effective for _, effective in parts], axis=1),
        )
    similarity = similarity or DaySimilarity()
    smooth = similarity.smooth_minutes * 60 / clock.step_s
    total, count = grid.fold(values_TN[:train_end] if frozen else values_TN)
    top, bottom = np.zeros_like(total), np.zeros_like(total)
    train_days = _train_days(grid, train_end, frozen=frozen)
    first_N = _first_days(count)
    for first in np.unique(first_N):
        places = np.flatnonzero(first_N == first)
        early = range(int(first), min(int(first) + _EARLY_DAYS, train_days))
        weights = _weights(grid, similarity, ahead + _reach(smooth), early)
        top[:, :, places] = _weighted_sum(weights, total[:, :, places])
        bottom[:, :, places] = _weighted_sum(weights, count[:, :, places])
    effective_days = grid.unfold(bottom)
    top, bottom = _smooth(top, smooth), _smooth(bottom, smooth)
    known = bottom > _NOTHING
    typical = np.where(known, top / np.where(known, bottom, 1.0), _mean(values_TN[:train_end]))
    return grid.unfold(typical), effective_days


def _train_days(grid: DayGrid, train_end: int, *, frozen: bool) -> int:
    """Days of the training span; a last one that goes on after it only if its rest is unseen."""
    if train_end >= len(grid.day_T):
        return grid.days
    return int(grid.day_T[train_end - 1]) + 1 if frozen else int(grid.day_T[train_end])


def _first_days(count_DSN: Doubles) -> Ints:
    """The first day each place has a value of, (N,)."""
    return np.asarray((count_DSN.sum(axis=1) > 0).argmax(axis=0))


def _weighted_sum(weights: Doubles, values_DSN: Doubles) -> Doubles:
    weighted = weights @ values_DSN.reshape(len(weights), -1)
    return np.asarray(weighted.reshape(values_DSN.shape))


def _weights(grid: DayGrid, similarity: DaySimilarity, ahead: int, early_days: range) -> Doubles:
    """(D, D): weight of day j in the typical values of day i; zero where it would leak."""
    least_D, most_D = grid.shifts()
    reach = min(similarity.reach_days, grid.days - 1)
    i, gap = np.meshgrid(np.arange(grid.days), np.arange(-reach, reach + 1), indexing="ij")
    near = (i + gap >= 0) & (i + gap < grid.days)
    i, j = i[near], (i + gap)[near]  # the days within reach of each other alone
    weekday_i, weekday_j = grid.weekday_D[i], grid.weekday_D[j]
    same_day_type = (weekday_i >= 5) == (weekday_j >= 5)
    like = np.where(
        weekday_i == weekday_j, 1.0, np.where(same_day_type, similarity.same_day_type, _LAST_RESORT)
    )
    early = _within(i, early_days) & _within(j, early_days) & (i != j)
    allowed = (least_D[i] - most_D[j] >= ahead) | early
    weights = np.zeros((grid.days, grid.days))
    weights[i, j] = allowed * like * np.exp(-np.abs(i - j) / similarity.memory_days)
    return weights


def _within(days: Ints, wanted: range) -> Bools:
    return (days >= wanted.start) & (days < wanted.stop)


def _reach(steps: float) -> int:
    """Half-width of the smoothing kernel in slots; 0 for none."""
    return int(3 * steps) if steps >= 0.5 else 0


def _smooth(values_DSN: Doubles, steps: float) -> Doubles:
    """Gaussian smoothing along the slots of a day; it does not cross midnight."""
    reach, slots = _reach(steps), values_DSN.shape[1]
    if not reach:
        return values_DSN
    away_SS = np.arange(slots)[:, None] - np.arange(slots)[None, :]
    kernel_SS = np.where(np.abs(away_SS) <= reach, np.exp(-0.5 * (away_SS / steps) ** 2), 0.0)
    return np.asarray(kernel_SS @ values_DSN)


def _mean(values_TN: Floats) -> Doubles:
    count = np.isfinite(values_TN).sum(axis=0)
    return np.asarray(np.nansum(values_TN, axis=0, dtype=np.float64) / np.maximum(count, 1))
