"""The days ahead as a Gaussian process: level, weekdays, seasons and weather in one model.

A day is a profile, its values at all slots. Profiles are rotated onto the principal components
of the training days, and each component is a series over days with the covariance of
`deepcity.learning.experts.day_kernel`: most of a flow's level lies in the first, so it may drift at
its own pace, while the last, hardly more than noise, stay near their mean. Forecasts
are the process's means given all days before an origin. Unlike a typical day, a ridge or a
network it weights *all* earlier days, by their similarity to the target day.

It is a party's own: profiles and parameters never leave it.

Shapes: T steps, N places, D days, S slots of a day, M components (= S), I known days, B
origins, H steps ahead, K days ahead, C traits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from deepcity.city.arrays import Doubles, Floats, Ints
from deepcity.city.clock import Clock
from deepcity.data.windows import Span
from deepcity.learning.experts.day_kernel import (
    DayRelations,
    compare_days,
    covariance,
    fit_parameters,
    noise,
)
from deepcity.learning.features.typical_day import DayGrid, typical_day

_GROUPS = (0, 1, 4, 10)  # components from one of these to the next share their parameters
_FIT_DAYS = 400  # newest training days that parameters are fitted on
_MIN_FRACTION = 1 / 3  # of its slots: with fewer measured a day is unknown
_CLIP = 8.0  # times the median deviation at a slot: outliers such as a burst pipe are clipped
FEW_DAYS = 28
_NOTHING = 1e-6


@dataclass(frozen=True)
class DayModel:
    """Parameters learned from one place's training days.

    Attributes:
        mean_S: the mean profile.
        unit_M, rotation_MS: standard deviation of each component, and its principal axis.
        parameters_GP: log parameters of the covariance, one row per group of components.
    """

    mean_S: Doubles
    unit_M: Doubles
    rotation_MS: Doubles
    parameters_GP: Doubles

    @property
    def parts(self) -> list[tuple[slice, Doubles]]:
        """Each group of components with the log parameters it shares."""
        return list(zip(groups(len(self.unit_M)), self.parameters_GP, strict=True))


@dataclass(frozen=True)
class _Place:
    """A place's known days, projected onto its components."""

    known_I: Ints
    series_IM: Doubles
    model: DayModel


@dataclass(frozen=True)
class DayProcess:
    """A fitted process: parameters from the training days, conditioned on all measured days."""

    grid: DayGrid
    days: DayRelations
    places: Sequence[_Place]
    logarithms: bool

    def forecast(self, origins_B: Ints, horizon: int) -> Floats:
        """Values of the steps from each origin on, (B, N, H), in the field's unit.

        Only days that ended before an origin are looked at, not the hours of its own day.
        """
        if not len(origins_B):
            return np.zeros((0, len(self.places), horizon), np.float32)
        steps_BH = np.minimum(origins_B[:, None] + np.arange(horizon), len(self.grid.day_T) - 1)
        first_K, row_B = np.unique(self.grid.day_T[origins_B], return_inverse=True)
        ahead_BH = self.grid.day_T[steps_BH] - first_K[row_B][:, None]
        slot_BH, most = self.grid.slot_T[steps_BH], int(ahead_BH.max()) + 1
        means = [
            self._profiles(place, first_K, most)[row_B[:, None], ahead_BH, slot_BH]
            for place in self.places
        ]
        forecast_BNH = np.stack(means, axis=1)
        return np.asarray(
            np.exp(forecast_BNH) if self.logarithms else forecast_BNH, dtype=np.float32
        )

    def _profiles(self, place: _Place, first_B: Ints, ahead: int) -> Doubles:
        """(B, K, S): predicted by component, then rotated back to the slots of a day."""
        target_BK = np.minimum(first_B[:, None] + np.arange(ahead), self.grid.days - 1)
        model = place.model
        means = np.empty((*target_BK.shape, len(model.unit_M)))
        for part, log_P in model.parts:
            series_IM = place.series_IM[:, part]
            means[..., part] = _means(self.days, log_P, place.known_I, series_IM, target_BK)
        to_profile_MS = model.unit_M[:, None] * model.rotation_MS
        return np.asarray(means @ to_profile_MS + model.mean_S)


def groups(components: int) -> list[slice]:
    """Slices of the components that share their parameters."""
    ends = (*_GROUPS[1:], components)
    return [slice(start, end) for start, end in zip(_GROUPS, ends, strict=True) if start < end]


def learned_days(values_TN: Floats, grid: DayGrid, train: Span) -> int:
    """Training days measured well enough, at the place that has fewest."""
    _, count_DSN = grid.fold(values_TN[: train.end])
    return int(((count_DSN > 0).mean(axis=1) >= _MIN_FRACTION).sum(axis=0).min())


def fit_day_process(
    values_TN: Floats,
    grid: DayGrid,
    clock: Clock,
    train: Span,
    traits_DC: Floats,
    *,
    logarithms: bool = False,
    models: Sequence[DayModel] | None = None,
) -> DayProcess:
    """Fit components and parameters on the training days.

    Args:
        values_TN: measured values, NaN where missing.
        traits_DC: covariates of each day that are known in advance, as weather and holidays.
        logarithms: for amounts that vary in proportion to their size: forecasts are medians
            then, and values of 0 or less count as missing.
        models: one per place, fitted before; fitted here if left out.

    Raises:
        ValueError: if a place has fewer than 28 training days.
    """
    if logarithms:
        values_TN = np.log(np.where(values_TN > 0, values_TN, np.nan))
    last = int(grid.day_T[train.end - 1]) + 1
    days = compare_days(grid.weekday_D, traits_DC)
    typical_TN = typical_day(values_TN, grid, clock, train_end=train.end, ahead=grid.slots)
    (total, count), (typical, steps) = grid.fold(values_TN), grid.fold(typical_TN)
    measured_DSN = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    usual_DSN = _every_slot(np.where(steps > 0, typical / np.maximum(steps, 1), np.nan))
    places = []
    for number in range(values_TN.shape[1]):
        known_I, profiles_IS = _profiles(measured_DSN[..., number], usual_DSN[..., number], last)
        learned = int((known_I < last).sum())
        model = models[number] if models else _fit(days, known_I[:learned], profiles_IS[:learned])
        series_IM = (profiles_IS - model.mean_S) @ model.rotation_MS.T / model.unit_M
        places.append(_Place(known_I, series_IM, model))
    return DayProcess(grid, days, places, logarithms)


def _profiles(measured_DS: Doubles, usual_DS: Doubles, last: int) -> tuple[Ints, Doubles]:
    """Days measured well enough, and their profiles without gaps and bursts, (I,) and (I, S).

    A missing hour deviates from the typical day as its day mostly does. What lies many times
    the usual deviation outside both that and the training days' median is cut: a burst
    spoils the typical days after it, so these alone would cut common values too.

    Raises:
        ValueError: if there are fewer than 28 such training days.
    """
    known_I = np.flatnonzero(np.isfinite(measured_DS).mean(axis=1) >= _MIN_FRACTION)
    learned = int((known_I < last).sum())
    if learned < FEW_DAYS:
        msg = f"{learned} training days are measured; a day process needs {FEW_DAYS}"
        raise ValueError(msg)
    measured_IS, usual_IS = measured_DS[known_I], usual_DS[known_I]
    level_I1 = np.nanmedian(measured_IS - usual_IS, axis=1, keepdims=True)
    usual_IS = usual_IS + level_I1
    filled_IS = np.where(np.isfinite(measured_IS), measured_IS, usual_IS)
    middle_S = np.median(filled_IS[:learned], axis=0)
    cut_S = _CLIP * np.median(np.abs(filled_IS - usual_IS)[:learned], axis=0)
    low, high = np.minimum(usual_IS, middle_S) - cut_S, np.maximum(usual_IS, middle_S) + cut_S
    return known_I, np.clip(filled_IS, low, high)


def _every_slot(usual_DSN: Doubles) -> Doubles:
    """Fill each empty slot from the nearest earlier slot of its day, else from the nearest later
    one: an hour that daylight saving skips, and days that begin late or end early.
    """
    filled = usual_DSN.copy()
    slots = range(filled.shape[1])
    for slot, nearest in [*pairwise(slots), *pairwise(reversed(slots))]:
        own, source = filled[:, nearest], filled[:, slot]
        filled[:, nearest] = np.where(np.isnan(own), source, own)
    return filled


def _fit(days: DayRelations, known_I: Ints, profiles_IS: Doubles) -> DayModel:
    """Components and parameters of one place's training days."""
    learned = len(known_I)
    mean_S = profiles_IS.mean(axis=0)
    _, size_M, rotation_MS = np.linalg.svd(profiles_IS - mean_S, full_matrices=False)
    unit_M = np.maximum(size_M, _NOTHING * (1 + size_M[0])) / np.sqrt(learned)
    series_IM = (profiles_IS - mean_S) @ rotation_MS.T / unit_M
    newest = slice(max(0, learned - _FIT_DAYS), learned)
    found = [
        fit_parameters(days, known_I[newest], series_IM[newest, part])
        for part in groups(len(unit_M))
    ]
    return DayModel(mean_S, unit_M, rotation_MS, np.stack(found))


def _means(
    days: DayRelations, log_P: Doubles, known_I: Ints, series_IM: Doubles, target_BK: Ints
) -> Doubles:
    """Conditional mean of the components, (B, K, M), given the days before the first target day.

    The factor of a leading block is the leading block of the factor, so all origins share one.
    """
    target, place_BK = np.unique(target_BK, return_inverse=True)
    place_BK = place_BK.reshape(target_BK.shape)
    total = covariance(days, log_P, known_I, known_I) + noise(log_P) * np.eye(len(known_I))
    both = np.concatenate([series_IM, covariance(days, log_P, known_I, target)], axis=1)
    solved = np.linalg.solve(np.linalg.cholesky(total), both)
    whitened_IM, target_IJ = np.split(solved, [series_IM.shape[1]], axis=1)
    before_B = np.searchsorted(known_I, target_BK[:, 0])
    return np.stack(
        [
            target_IJ[:before, columns].T @ whitened_IM[:before]
            for before, columns in zip(before_B, place_BK, strict=True)
        ]
    )
