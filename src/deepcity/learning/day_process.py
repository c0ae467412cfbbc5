"""The days ahead as a Gaussian process: level, weekdays, seasons and weather in one model.

A day is a profile, its values at all slots. Profiles are turned on the principal components
of the training days, and each component is a series over days with the covariance of
`deepcity.learning.day_kernel`: most of a flow's level lies in the first, so it may drift at
its own pace, while the last, hardly more than noise, hold to what they mostly were. Forecasts
are the process's means given all days before an origin. Unlike a typical day, a ridge or a
network it weighs *all* earlier days, by how alike they are to the day asked for.

It is a party's own: profiles and parameters never leave it.

Shapes: T steps, N places, D days, S slots of a day, M components (= S), I known days, B
origins, H steps ahead, K days ahead, C traits.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcity.city.clock import Clock
from deepcity.data.windows import Span
from deepcity.learning.day_kernel import Days, covariance, days_alike, fit_parameters, noise
from deepcity.learning.typical_day import DayGrid, typical_day

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Numbers = NDArray[np.int64]
_GROUPS = (0, 1, 4, 10)  # components from one of these to the next share their parameters
_FIT_DAYS = 400  # newest training days that parameters are fitted on
_LEAST_SHARE = 1 / 3  # of its slots: with fewer measured a day is unknown
_CLIP = 8.0  # times the median deviation at a slot: a burst pipe is no habit
_FEW_DAYS = 28
_NOTHING = 1e-6


@dataclass(frozen=True)
class _Place:
    """A place's known days as components, and what its process has learned of them."""

    known_I: Numbers
    series_IM: Doubles
    to_profile_MS: Doubles
    mean_S: Doubles
    parameters: Sequence[tuple[slice, Doubles]]


@dataclass(frozen=True)
class DayProcess:
    """A fitted process: parameters from the training days, memory of all measured days."""

    grid: DayGrid
    days: Days
    places: Sequence[_Place]
    logarithms: bool

    def forecast(self, origins_B: Numbers, horizon: int) -> Floats:
        """Values of the steps after each midnight, (B, N, H), in the field's unit.

        Only days before an origin are looked at.

        Raises:
            ValueError: if an origin is not the first slot of a day.
        """
        off = origins_B[self.grid.slot_T[origins_B] != 0]
        if len(off):
            msg = f"origin {off[0]} is no midnight; a day process foretells from midnights only"
            raise ValueError(msg)
        steps_BH = np.minimum(origins_B[:, None] + np.arange(horizon), len(self.grid.day_T) - 1)
        first_B = self.grid.day_T[origins_B]
        ahead_BH = self.grid.day_T[steps_BH] - first_B[:, None]
        slot_BH, row_B1 = self.grid.slot_T[steps_BH], np.arange(len(origins_B))[:, None]
        said = [
            self._profiles(place, first_B, int(ahead_BH.max()) + 1)[row_B1, ahead_BH, slot_BH]
            for place in self.places
        ]
        said_BNH = np.stack(said, axis=1)
        return np.asarray(np.exp(said_BNH) if self.logarithms else said_BNH, dtype=np.float32)

    def _profiles(self, place: _Place, first_B: Numbers, ahead: int) -> Doubles:
        """(B, K, S): each component by itself, turned back to a day's values."""
        asked_BK = np.minimum(first_B[:, None] + np.arange(ahead), self.grid.days - 1)
        said = np.empty((*asked_BK.shape, len(place.to_profile_MS)))
        for part, log_P in place.parameters:
            series_IM = place.series_IM[:, part]
            said[..., part] = _means(self.days, log_P, place.known_I, series_IM, asked_BK)
        return np.asarray(said @ place.to_profile_MS + place.mean_S)


def fit_day_process(
    values_TN: Floats,
    grid: DayGrid,
    clock: Clock,
    train: Span,
    traits_DC: Floats,
    *,
    logarithms: bool = False,
) -> DayProcess:
    """Fit components and parameters on the training days.

    Args:
        values_TN: measured values, NaN where missing.
        traits_DC: what is known of each day beforehand, such as weather and holidays.
        logarithms: for amounts that vary by shares of their size: forecasts are medians then,
            and values of 0 or less count as missing.

    Raises:
        ValueError: if a place has fewer than 28 training days.
    """
    if logarithms:
        values_TN = np.log(np.where(values_TN > 0, values_TN, np.nan))
    last = int(grid.day_T[train.end - 1]) + 1
    days = days_alike(grid.weekday_D, traits_DC)
    typical_TN = typical_day(values_TN, grid, clock, train_end=train.end, ahead=grid.slots)
    (total, count), (typical, steps) = grid.fold(values_TN), grid.fold(typical_TN)
    measured_DSN = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    usual_DSN = _every_slot(np.where(steps > 0, typical / np.maximum(steps, 1), np.nan))
    places = [
        _fit_place(days, *_profiles(measured_DSN[..., place], usual_DSN[..., place], last), last)
        for place in range(values_TN.shape[1])
    ]
    return DayProcess(grid, days, places, logarithms)


def _profiles(measured_DS: Doubles, usual_DS: Doubles, last: int) -> tuple[Numbers, Doubles]:
    """Days measured well enough, and their profiles without gaps and bursts, (I,) and (I, S).

    A missing hour deviates from the typical day as its day mostly does. What lies many times
    the usual deviation outside both that and the training days' median is cut: a burst
    spoils the typical days after it, so these alone would cut common values too.

    Raises:
        ValueError: if there are fewer than 28 such training days.
    """
    known_I = np.flatnonzero(np.isfinite(measured_DS).mean(axis=1) >= _LEAST_SHARE)
    learned = int((known_I < last).sum())
    if learned < _FEW_DAYS:
        msg = f"{learned} training days are measured; a day process needs {_FEW_DAYS}"
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
    """An hour that the clocks skip is as the slot before it."""
    filled = usual_DSN.copy()
    for slot in range(1, filled.shape[1]):
        filled[:, slot] = np.where(np.isnan(filled[:, slot]), filled[:, slot - 1], filled[:, slot])
    return filled


def _fit_place(days: Days, known_I: Numbers, profiles_IS: Doubles, last: int) -> _Place:
    learned = int((known_I < last).sum())
    mean_S = profiles_IS[:learned].mean(axis=0)
    _, size_M, turn_MS = np.linalg.svd(profiles_IS[:learned] - mean_S, full_matrices=False)
    unit_M = np.maximum(size_M, _NOTHING * (1 + size_M[0])) / np.sqrt(learned)
    series_IM = (profiles_IS - mean_S) @ turn_MS.T / unit_M
    newest = slice(max(0, learned - _FIT_DAYS), learned)
    ends = (*_GROUPS[1:], len(turn_MS))
    parts = [slice(start, end) for start, end in zip(_GROUPS, ends, strict=True) if start < end]
    parameters = [
        (part, fit_parameters(days, known_I[newest], series_IM[newest, part])) for part in parts
    ]
    return _Place(known_I, series_IM, unit_M[:, None] * turn_MS, mean_S, parameters)


def _means(
    days: Days, log_P: Doubles, known_I: Numbers, series_IM: Doubles, asked_BK: Numbers
) -> Doubles:
    """Expected components (B, K, M) of the days asked for, given the days before each first.

    The factor of a leading block is the leading block of the factor, so all origins share one.
    """
    asked, place_BK = np.unique(asked_BK, return_inverse=True)
    place_BK = place_BK.reshape(asked_BK.shape)
    total = covariance(days, log_P, known_I, known_I) + noise(log_P) * np.eye(len(known_I))
    both = np.concatenate([series_IM, covariance(days, log_P, known_I, asked)], axis=1)
    solved = np.linalg.solve(np.linalg.cholesky(total), both)
    told_IM, asked_IJ = np.split(solved, [series_IM.shape[1]], axis=1)
    before_B = np.searchsorted(known_I, asked_BK[:, 0])
    return np.stack(
        [
            asked_IJ[:before, columns].T @ told_IM[:before]
            for before, columns in zip(before_B, place_BK, strict=True)
        ]
    )
