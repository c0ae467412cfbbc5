"""What each source of forecasts gives for a peak: its height, hour and carriers, now and on past
days.

A source is the learned forecast or a naive one, with its own past errors; for the height each also
with its newest errors alone, as a season that turns makes every forecast err to one side for a
while. What a source would have named on a past day, by the errors of other days, is what it is
weighed by (`deepcity.applications.tasks.pool`).

Shapes: B earlier origins, P of them known whole, each with a path of errors, Q quantiles,
N places, H horizon steps.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from deepcity.applications.state import Past, State
from deepcity.applications.tasks.pool import LEARNED
from deepcity.city.arrays import Bools, Doubles, Floats, Ints
from deepcity.city.clock import DAY_S

BAND = (0.05, 0.5, 0.95)
NEWEST = "-newest"
"""Ends the name of a source that looks at its newest errors alone."""
_MEASURED = 0.5  # of the places: with fewer a step's total is not known
_FOLDS = 5
_NEWEST = 14  # origins
_LEAST_BEFORE = 5
_HALF_LIFE_DAYS = 7.0
_PATHS_AT_ONCE = 32  # origins whose paths are held together
_SOURCES = 12  # whose past is kept at hand: for now and the step before


@dataclass(frozen=True, eq=False)
class Source:
    """One source.

    Attributes:
        forecast_NH: now.
        past: its earlier forecasts alone.
        rows_P: positions of the whole origins among all.
        total_PH, error_PH: their forecast totals, and the errors of these: ratios where `ratios`,
            as where every total is over 0, else differences.
    """

    forecast_NH: Floats
    past: Past
    rows_P: Ints
    total_PH: Doubles
    error_PH: Doubles
    ratios: bool

    @staticmethod
    def of(forecast_NH: Floats, past: Past) -> "Source":
        """By the origins known whole. Places that were not measured are taken to err as the
        others.
        """
        return Source(forecast_NH, past, *_errors(past))

    @property
    def total_H(self) -> Doubles:
        """Of all places, now."""
        return np.asarray(np.nansum(self.forecast_NH, axis=0, dtype=np.float64))

    @property
    def came_PH(self) -> Doubles:
        """The totals that came."""
        return self.total_PH + (self.error_PH * self.total_PH if self.ratios else self.error_PH)

    def paths(self, total_H: Doubles) -> Doubles:
        """A forecast total with every path of errors: (H,) gives (P, H), (R, 1, H) (R, P, H)."""
        if self.ratios and (total_H > 0).all():
            return np.asarray(total_H * (1 + self.error_PH))
        return np.asarray(total_H + (self.came_PH - self.total_PH))

    def heights(self, *, newest: bool = False) -> Doubles:
        """Quantiles of `BAND` of the height now, (Q,); the forecast's where no error is known."""
        height_P = self.paths(self.total_H).max(axis=1)
        height_P = height_P[-_NEWEST:] if newest else height_P
        height_P = height_P if len(height_P) else self.total_H.max(keepdims=True)
        return np.asarray(np.quantile(height_P, BAND), np.float64)

    def past_heights(self, *, newest: bool = False) -> Doubles:
        """The median that it would have named at each whole origin, (P,)."""
        found_P = np.full(len(self.rows_P), np.nan)
        seen_PP = _seen(len(found_P), newest=newest)
        count_P = seen_PP.sum(axis=1)
        for count in np.unique(count_P[count_P > 0]):  # rows that are equally long are one array
            rows_P = count_P == count
            height_PP = _past_paths(self.past)[0][rows_P]
            found_P[rows_P] = np.median(height_PP[seen_PP[rows_P]].reshape(-1, count), axis=1)
        return found_P

    def hours(self, near: int) -> tuple[Doubles, Doubles]:
        """Share of paths that peak within so many steps of each step, and at it, (H,) each."""
        paths_PH = self.paths(self.total_H)
        return peaks_near(paths_PH, near), peaks_near(paths_PH, 0)

    def past_hours(self, near: int) -> Doubles:
        """The first of these at each whole origin, (P, H)."""
        count, steps = len(self.rows_P), self.forecast_NH.shape[1]
        found_PH: Doubles = np.full((count, steps), np.nan)
        seen_PP = _seen(count)
        known_P = seen_PP.any(axis=1)
        if known_P.any():
            row_S, other_S = np.nonzero(seen_PP)
            cell_S = row_S * steps + _past_paths(self.past)[1][row_S, other_S]
            peaks_PH = np.bincount(cell_S, minlength=count * steps).reshape(count, steps)
            step_H = np.arange(steps)
            near_PH = peaks_PH @ (np.abs(step_H[:, None] - step_H) <= near)
            found_PH[known_P] = near_PH[known_P] / seen_PP.sum(axis=1)[known_P, None]
        return found_PH

    def carried(self) -> Doubles:
        """What each place carries at the peak of each path now, (P, N)."""
        step_P = self.paths(self.total_H).argmax(axis=1)
        return self._carried(self.forecast_NH, self.rows_P, step_P)

    def past_carried(self) -> Doubles:
        """The mean of these at each whole origin, (P, N)."""
        return _past_carried(self.past)

    def mean_carried(self) -> Doubles:
        """As `past_carried`, anew."""
        found_PN = np.full((len(self.rows_P), len(self.forecast_NH)), np.nan)
        for row, seen_P in enumerate(_seen(len(self.rows_P))):
            if seen_P.any():
                forecast_NH = self.past.forecast_BNH[self.rows_P[row]]
                step_P = _past_paths(self.past)[1][row, seen_P]
                found_PN[row] = self._carried(forecast_NH, self.rows_P[seen_P], step_P).mean(axis=0)
        return found_PN

    def _carried(self, forecast_NH: Floats, rows_P: Ints, step_P: Ints) -> Doubles:
        """At a step of each path; what is not known errs not."""
        errors_PN = self.past.errors_BNH[rows_P, :, step_P]
        return np.asarray(forecast_NH[:, step_P].T + np.nan_to_num(errors_PN), np.float64)


def sources(state: State) -> dict[str, Source]:
    """Every source, the learned one first; a naive one with errors of other origins than it has,
    or a step without a forecast, is left out.
    """
    pasts = _pasts(state.past)
    learned = Source.of(state.forecast_NH, pasts[LEARNED])
    found = {LEARNED: learned}
    for name, forecast_NH in state.others.items():
        if name in pasts and np.isfinite(forecast_NH).any(axis=0).all():
            one = Source.of(forecast_NH, pasts[name])
            if np.array_equal(one.rows_P, learned.rows_P):
                found[name] = one
    return found


@lru_cache(maxsize=2)
def _pasts(past: Past) -> dict[str, Past]:
    """By source, each one object, so that what is computed from it is kept too."""
    return {
        LEARNED: replace(past, others={}, aside=None),
        **{name: past.of_other(name) for name in past.others},
    }


@lru_cache(maxsize=_SOURCES)
def _errors(past: Past) -> tuple[Ints, Doubles, Doubles, bool]:
    """The last four attributes of `Source`."""
    share_BH = np.isfinite(past.errors_BNH).mean(axis=1, dtype=np.float64)
    rows_P = np.flatnonzero((share_BH >= _MEASURED).all(axis=1))
    error_PH = np.asarray(np.nansum(past.errors_BNH[rows_P], axis=1, dtype=np.float64))
    error_PH = error_PH / share_BH[rows_P]
    total_PH = np.asarray(np.nansum(past.forecast_BNH[rows_P], axis=1, dtype=np.float64))
    ratios = bool((total_PH > 0).all())
    return rows_P, total_PH, error_PH / total_PH if ratios else error_PH, ratios


@lru_cache(maxsize=_SOURCES)
def _past_paths(past: Past) -> tuple[Doubles, Ints]:
    """Height and step of the peak of every past forecast with every path of errors, (P, P)."""
    source = Source.of(past.forecast_BNH[0], past)
    count = len(source.total_PH)
    height_PP, step_PP = np.empty((count, count)), np.empty((count, count), np.int64)
    for first in range(0, count, _PATHS_AT_ONCE):
        at = slice(first, first + _PATHS_AT_ONCE)
        paths_RPH = source.paths(source.total_PH[at, None])
        height_PP[at], step_PP[at] = paths_RPH.max(axis=2), paths_RPH.argmax(axis=2)
    return height_PP, step_PP


@lru_cache(maxsize=_SOURCES)
def _past_carried(past: Past) -> Doubles:
    return Source.of(past.forecast_BNH[0], past).mean_carried()


def _seen(count: int, *, newest: bool = False) -> Bools:
    """Whose errors each whole origin is tried with, (P, P): those of other folds; or of the newest
    origins before it, where there are enough.
    """
    row_P = np.arange(count)
    fold_P = row_P * _FOLDS // max(1, count)
    apart_PP = fold_P[:, None] != fold_P
    if not newest:
        return np.asarray(apart_PP)
    back_PP = row_P[:, None] - row_P
    before_PP = (back_PP > 0) & (back_PP <= _NEWEST)
    return np.where((row_P < _LEAST_BEFORE)[:, None], apart_PP, before_PP)


def recency(state: State) -> Doubles:
    """How much each past origin counts, (B,): half as much for every week that it is older."""
    if state.past.time_B is None:
        return np.ones(len(state.past.truth_BNH))
    days_B = (state.now_s - state.past.time_B) / DAY_S
    return np.asarray(0.5 ** (days_B / _HALF_LIFE_DAYS))


def peaks_near(paths_PH: Doubles, near: int) -> Doubles:
    """Share of paths whose peak is so many steps or fewer from each step, (H,)."""
    return _near(paths_PH.argmax(axis=1), paths_PH.shape[1], near)


def _near(step_P: Ints, steps: int, near: int) -> Doubles:
    away_PH = step_P[:, None] - np.arange(steps)
    return np.asarray((np.abs(away_PH) <= near).mean(axis=0))
