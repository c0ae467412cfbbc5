"""How probable it is that a value crosses a threshold, and from what probability on to warn.

The probability is the share of past errors with which a forecast would cross: of the learned
forecast, and of each naive one by its own errors. That it is above now is one more source, which
is certain. Past days weigh them by cross-validation (`deepcity.applications.tasks.pool`).

The cutoff minimises the cost on past days. Where costs are flat, noise would choose it: of all
cutoffs within a standard error of the least cost, over days, it is the one nearest to that which
the costs ask for (Breiman et al. 1984, "Classification and Regression Trees", the 1 SE rule).

Shapes: X forecasts, B earlier origins, N places, H horizon steps, K cutoffs, D days.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from deepcity.applications.state import Past
from deepcity.applications.tasks.pool import LEARNED, Pool, learned_alone, weigh
from deepcity.city.arrays import Bools, Doubles, Floats, Ints

NOW = "now"
"""The source that takes the newest value for certain."""
_PERSISTENCE = "persistence"
_FOLDS = 5
_CUTOFFS = np.linspace(0.01, 0.99, 99)
_LEAST = 1e-3  # of the threshold: below it no ratio is taken


@dataclass(frozen=True)
class Costs:
    """Cost of a missed step and of a falsely warned one, in any unit, both over zero."""

    miss: float = 1.0
    false_alarm: float = 1.0

    @property
    def cutoff(self) -> float:
        """For calibrated probabilities: from here on a warning costs less than none."""
        return self.false_alarm / (self.false_alarm + self.miss)


def crossing(forecast_XNH: Floats, past: Past, threshold: float, *, relative: bool) -> Doubles:
    """Probability of being above the threshold, (X, N, H), for X forecasts of the same places.

    Never higher for a higher threshold. A place and step without a known past error takes the
    errors of all places at that step; without any, it is 0 or 1 by the forecast alone.
    """
    scaled = _scaled(threshold, relative=relative)
    errors_BNH = scaled(past.truth_BNH) - scaled(past.forecast_BNH)
    distance_X = scaled(threshold) - scaled(forecast_XNH)
    _, places, steps = forecast_XNH.shape
    found = np.empty(forecast_XNH.shape)
    for place in range(places):
        for step in range(steps):
            errors = _known(errors_BNH[:, place, step])
            if not len(errors):
                errors = _known(errors_BNH[:, :, step])
            found[:, place, step] = _share_above(errors, distance_X[:, place, step])
    return found


@lru_cache(maxsize=16)
def days_known(past: Past) -> Ints:
    """Days whose errors give the probability of each place and step, (N, H); origins lie in order
    of time.
    """
    known_BNH = np.isfinite(past.errors_BNH)
    starts_D = np.unique(past.day_B, return_index=True)[1]
    if not len(starts_D):
        return np.zeros(known_BNH.shape[1:], np.int64)
    known_DNH = np.logical_or.reduceat(known_BNH, starts_D, axis=0)
    own_NH: Ints = known_DNH.sum(axis=0)
    all_H: Ints = known_DNH.any(axis=1).sum(axis=0)
    return np.where(own_NH > 0, own_NH, all_H)


def _scaled(threshold: float, *, relative: bool) -> Callable[[ArrayLike], Doubles]:
    """Values as they are, or their logarithms where errors are ratios."""
    if not relative:
        return lambda values: np.asarray(values, np.float64)
    least = _LEAST * threshold
    return lambda values: np.log(np.maximum(np.asarray(values, np.float64), least))


def _known(errors: Doubles) -> Doubles:
    return np.sort(errors[np.isfinite(errors)])


def _share_above(errors: Doubles, distance_X: Doubles) -> Doubles:
    """Share of sorted errors greater than a forecast's distance to the threshold."""
    if not len(errors):
        errors = np.zeros(1)
    above = len(errors) - np.searchsorted(errors, distance_X, side="right")
    return np.asarray(np.where(np.isfinite(distance_X), above / len(errors), 0.0))


@dataclass(frozen=True)
class Warner:
    """What past days have taught of warnings.

    Attributes:
        pool: how much each source of probabilities counts.
        cutoff: the probability from which on to warn.
    """

    pool: Pool
    cutoff: float

    def probability(
        self,
        forecast_XNH: Floats,
        others: Mapping[str, Floats],
        past: Past,
        threshold: float,
        *,
        relative: bool,
    ) -> Doubles:
        """Probability of being above the threshold, (X, N, H), by all sources that count.

        Args:
            others: naive forecasts, (X, N, H) each; the learned one stands in for those that are
                missing.
        """
        found = {LEARNED: crossing(forecast_XNH, past, threshold, relative=relative)}
        for name, weight in self.pool.weights.items():
            if name == LEARNED:
                continue
            found[name] = found[LEARNED]
            one_XNH = others.get(_PERSISTENCE if name == NOW else name)
            if one_XNH is None or not weight:
                continue
            if name == NOW:
                above_XNH = _sure(one_XNH, threshold)
            else:
                above_XNH = crossing(one_XNH, past.of_other(name), threshold, relative=relative)
            found[name] = np.where(np.isfinite(one_XNH), above_XNH, found[LEARNED])
        return self.pool.mean(found)


def _sure(forecast_XNH: Floats, threshold: float) -> Doubles:
    """1 where a forecast is above, 0 where it is not, NaN where there is none."""
    above_XNH = np.asarray(forecast_XNH > threshold, np.float64)
    return np.where(np.isfinite(forecast_XNH), above_XNH, np.nan)


@lru_cache(maxsize=16)
def learned_warner(past: Past, threshold: float, costs: Costs, relative: bool) -> Warner:
    """Weights of sources and the cutoff, from past days; the learned forecast alone and
    `Costs.cutoff` where nothing crossed.
    """
    truth_BNH = past.truth_BNH
    known = np.isfinite(truth_BNH)
    above = truth_BNH[known] > threshold
    names = source_names(past)
    if not above.any():
        return Warner(learned_alone(names), costs.cutoff)
    found = {LEARNED: crossvalidated(past, threshold, relative=relative)[known]}
    for name in names[1:]:
        if name == NOW:
            found[name] = _sure(past.others[_PERSISTENCE], threshold)[known]
        else:
            other = past.of_other(name)
            found[name] = crossvalidated(other, threshold, relative=relative)[known]
    days = len(np.unique(past.day_B))
    pool = weigh(found, above.astype(np.float64), days)
    day_X = np.broadcast_to(past.day_B[:, None, None], truth_BNH.shape)[known]
    return Warner(pool, least_cost_cutoff(pool.mean(found), above, day_X, costs))


def source_names(past: Past) -> tuple[str, ...]:
    """The sources that probabilities come from."""
    now = (NOW,) if _PERSISTENCE in past.others else ()
    return (LEARNED, *past.others, *now)


def least_cost_cutoff(probability_X: Doubles, above_X: Bools, day_X: Ints, costs: Costs) -> float:
    """Of the cutoffs within a standard error of the least cost, the nearest to `costs.cutoff`."""
    _, day_X = np.unique(day_X, return_inverse=True)
    days = int(day_X.max(initial=-1)) + 1
    # a value is warned of by the cutoffs up to its probability
    warned_X = np.searchsorted(_CUTOFFS, probability_X, side="right")
    missed_DK = _by_day(day_X[above_X], warned_X[above_X], days)
    false_DK = _by_day(day_X[~above_X], warned_X[~above_X], days)
    missed_DK = np.cumsum(missed_DK, axis=1)[:, :-1]
    false_DK = false_DK.sum(axis=1, keepdims=True) - np.cumsum(false_DK, axis=1)[:, :-1]
    cost_DK = costs.miss * missed_DK + costs.false_alarm * false_DK
    more_DK = cost_DK - cost_DK[:, [int(cost_DK.sum(axis=0).argmin())]]
    error_K = more_DK.std(axis=0, ddof=1) * days**0.5 if days > 1 else np.zeros(len(_CUTOFFS))
    near_K = _CUTOFFS[more_DK.sum(axis=0) <= error_K]
    return float(min(near_K, key=lambda cutoff: abs(cutoff - costs.cutoff)))


def _by_day(day_X: Ints, warned_X: Ints, days: int) -> Doubles:
    """How many values of each day are warned of by so many cutoffs, (D, K + 1)."""
    count_DK = np.zeros((days, len(_CUTOFFS) + 1))
    np.add.at(count_DK, (day_X, warned_X), 1.0)
    return count_DK


def crossvalidated(past: Past, threshold: float, *, relative: bool) -> Doubles:
    """Probabilities of the past days, each fold by the errors of the others, (B, N, H)."""
    count = len(past.truth_BNH)
    found = np.empty(past.truth_BNH.shape)
    for fold in np.array_split(np.arange(count), min(_FOLDS, count)):
        others = np.setdiff1d(np.arange(count), fold)
        rest = Past(past.forecast_BNH[others], past.truth_BNH[others])
        found[fold] = crossing(past.forecast_BNH[fold], rest, threshold, relative=relative)
    return found
