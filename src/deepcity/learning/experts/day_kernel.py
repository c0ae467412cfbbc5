"""The covariance of a Gaussian process over days: how similar two days are.

A sum of kernels (Rasmussen & Williams 2006, ch. 5.4.3): fast and slow drift, drift of each
weekday and of each day type, a yearly period, traits such as weather and holidays, and noise.
Variances and length scales maximise the likelihood of the training days, with a prior around
a start that holds for most flows; gradients are analytic (same book, ch. 5.4.1).

Shapes: D days, I and J some of them, P parameters, C traits, M series.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Doubles, Ints

# Variance and length scale in days of each kernel, for series of variance 1: fast, slow, the
# same weekday, the same day type (working day, Saturday, Sunday).
_KERNELS = ((0.2, 3.0), (0.4, 40.0), (0.1, 60.0), (0.4, 150.0))
_OF_YEAR, _OF_NOISE = 8, 9  # positions of their parameters, after the kernels
OWN_PARAMETERS = 10  # followed by one for each trait
_YEAR, _NOISE, _TRAIT = 0.1, 0.3, 0.05
_YEAR_DAYS, _SEASON = 365.25, 0.3  # a season is about this share of a year's radian
_PRIOR_WEIGHT = 0.05  # how strongly the logarithm of a parameter is drawn to its start
_STEPS, _PACE = 30, 0.15
_SATURDAY = 5


@dataclass(frozen=True)
class DayRelations:
    """Pairwise relations of the days of a panel.

    Attributes:
        gap_DD: days between them.
        related: for each kernel, 1 where two days share their class.
        year_DD: 1 for the same date of any year, falling to 0 within a season.
        traits_DC: covariates of each day that are known in advance, about 0..2 each.
    """

    gap_DD: Doubles
    related: tuple[Doubles, ...]
    year_DD: Doubles
    traits_DC: Doubles

    @property
    def start_P(self) -> Doubles:
        """Logarithms of the parameters before any day is seen."""
        kernels = np.ravel(_KERNELS)
        traits = np.full(self.traits_DC.shape[1], _TRAIT)
        return np.asarray(np.log(np.concatenate([kernels, [_YEAR, _NOISE], traits])))


def compare_days(weekday_D: Ints, traits_DC: NDArray[np.floating]) -> DayRelations:
    """Compare all days of a panel.

    Args:
        weekday_D: Monday 0; holidays count as Sundays.
    """
    number = np.arange(len(weekday_D), dtype=np.float64)
    gap = np.abs(number[:, None] - number[None, :])
    day_type_D = np.where(weekday_D < _SATURDAY, 0, weekday_D)
    every, same, day_type = np.ones_like(gap), _equal(weekday_D), _equal(day_type_D)
    year = np.exp(-2 * (np.sin(np.pi * gap / _YEAR_DAYS) / _SEASON) ** 2)
    return DayRelations(gap, (every, every, same, day_type), year, traits_DC.astype(np.float64))


def covariance(days: DayRelations, log_P: Doubles, rows_I: Ints, columns_J: Ints) -> Doubles:
    """Between two sets of days, without noise, (I, J)."""
    at, variance_C = np.ix_(rows_I, columns_J), np.exp(log_P[OWN_PARAMETERS:])
    gap, related = days.gap_DD[at], [one[at] for one in days.related]
    shared = sum(_kernels(gap, related, log_P)) + np.exp(log_P[_OF_YEAR]) * days.year_DD[at]
    traits_IC, traits_JC = days.traits_DC[rows_I], days.traits_DC[columns_J]
    return np.asarray(shared + (traits_IC * variance_C) @ traits_JC.T)


def noise(log_P: Doubles) -> float:
    """Variance of the noise."""
    return float(np.exp(log_P[_OF_NOISE]))


def fit_parameters(days: DayRelations, known_I: Ints, series_IM: Doubles) -> Doubles:
    """Logarithms of the parameters (P,) by which the series are most likely.

    Args:
        known_I: days the series were measured on.
        series_IM: independent series that share their parameters, each of variance about 1.
    """
    own = _among(days, known_I)
    log_P = days.start_P
    mean, square = np.zeros_like(log_P), np.zeros_like(log_P)
    for step in range(1, _STEPS + 1):  # Adam (Kingma & Ba 2015), with a falling pace
        gradient_P = _gradient(own, log_P, series_IM)
        mean = 0.9 * mean + 0.1 * gradient_P
        square = 0.97 * square + 0.03 * gradient_P**2
        direction = (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.97**step)) + 1e-8)
        log_P = log_P - _PACE * (1 - 0.7 * step / _STEPS) * direction
    return log_P


def _gradient(days: DayRelations, log_P: Doubles, series_DM: Doubles) -> Doubles:
    """Gradient of the mean negative log likelihood and of the prior around the start, (P,)."""
    value = np.exp(log_P)
    kernels = _kernels(days.gap_DD, days.related, log_P)
    year, traits_DC = value[_OF_YEAR] * days.year_DD, days.traits_DC
    total = sum(kernels) + year + (traits_DC * value[OWN_PARAMETERS:]) @ traits_DC.T
    inverse = np.linalg.inv(total + value[_OF_NOISE] * np.eye(len(traits_DC)))
    alpha_DM = inverse @ series_DM
    pull_DD = 0.5 * (inverse - alpha_DM @ alpha_DM.T / series_DM.shape[1])
    gradients = []
    for kernel, length in zip(kernels, value[1:_OF_YEAR:2], strict=True):
        pulled = pull_DD * kernel
        gradients += [pulled.sum(), np.vdot(pulled, days.gap_DD) / length]
    gradients += [np.vdot(pull_DD, year), np.trace(pull_DD) * value[_OF_NOISE]]
    of_traits_C = ((pull_DD @ traits_DC) * traits_DC).sum(axis=0) * value[OWN_PARAMETERS:]
    prior_P = 2 * _PRIOR_WEIGHT * (log_P - days.start_P)
    return np.asarray(np.concatenate([gradients, of_traits_C]) + prior_P)


def _kernels(gap: Doubles, related: Sequence[Doubles], log_P: Doubles) -> list[Doubles]:
    """Covariance of each kernel."""
    value = np.exp(log_P[:_OF_YEAR])
    pairs = zip(related, value[::2], value[1::2], strict=True)
    return [variance * shared * np.exp(-gap / length) for shared, variance, length in pairs]


def _among(days: DayRelations, known_I: Ints) -> DayRelations:
    """The relations of some of the days."""
    at = np.ix_(known_I, known_I)
    related = tuple(shared[at] for shared in days.related)
    return DayRelations(days.gap_DD[at], related, days.year_DD[at], days.traits_DC[known_I])


def _equal(values_D: Ints) -> Doubles:
    return np.asarray(values_D[:, None] == values_D[None, :], dtype=np.float64)
