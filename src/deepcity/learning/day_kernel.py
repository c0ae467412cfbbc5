"""How alike two days are: the covariance of a Gaussian process over days.

A sum of strands (Rasmussen & Williams 2006, ch. 5.4.3): what passes within days, what drifts
over weeks, what weekdays and sorts of days have of their own, what comes back every year,
what traits such as weather and holidays do, and noise. How much each strand counts and how
long it is remembered is learned by the likelihood of the training days, drawn towards a
start that holds for most flows; its gradient is written out (same book, ch. 5.4.1).

Shapes: D days, I and J some of them, P parameters, C traits, M series.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Numbers = NDArray[np.int64]
# Variance and memory in days of each strand, for series of variance 1: fast, slow, the same
# weekday, the same sort of day (working day, Saturday, Sunday).
_STRANDS = ((0.2, 3.0), (0.4, 40.0), (0.1, 60.0), (0.4, 150.0))
_YEAR, _NOISE, _TRAIT = 0.1, 0.3, 0.05
_YEAR_DAYS, _SEASON = 365.25, 0.3  # a season is about this share of a year's radian
_BELIEF = 0.05  # how strongly the logarithm of a parameter is drawn to its start
_STEPS, _PACE = 20, 0.15
_SATURDAY = 5


@dataclass(frozen=True)
class Days:
    """What the days of a panel have in common.

    Attributes:
        gap_DD: days between them.
        alike: for each strand, 1 where two days share it.
        year_DD: 1 for the same date of any year, falling to 0 within a season.
        traits_DC: what is known of each day beforehand, about 0..2 each.
    """

    gap_DD: Doubles
    alike: tuple[Doubles, ...]
    year_DD: Doubles
    traits_DC: Doubles

    @property
    def start_P(self) -> Doubles:
        """Logarithms of the parameters before any day is seen."""
        strands = np.ravel(_STRANDS)
        traits = np.full(self.traits_DC.shape[1], _TRAIT)
        return np.log(np.concatenate([strands, [_YEAR, _NOISE], traits]))


def days_alike(weekday_D: Numbers, traits_DC: NDArray[np.floating]) -> Days:
    """Compare all days of a panel.

    Args:
        weekday_D: Monday 0; holidays count as Sundays.
    """
    number = np.arange(len(weekday_D), dtype=np.float64)
    gap = np.abs(number[:, None] - number[None, :])
    sort_D = np.where(weekday_D < _SATURDAY, 0, weekday_D)
    every, same, sort = np.ones_like(gap), _equal(weekday_D), _equal(sort_D)
    year = np.exp(-2 * (np.sin(np.pi * gap / _YEAR_DAYS) / _SEASON) ** 2)
    return Days(gap, (every, every, same, sort), year, traits_DC.astype(np.float64))


def covariance(days: Days, log_P: Doubles, rows_I: Numbers, columns_J: Numbers) -> Doubles:
    """Between two sets of days, without noise, (I, J)."""
    strands, year, traits_C = _parts(days, log_P, rows_I, columns_J)
    linear = (days.traits_DC[rows_I] * traits_C) @ days.traits_DC[columns_J].T
    return np.asarray(sum(strands) + year + linear)


def noise(log_P: Doubles) -> float:
    """Variance of what no other day tells."""
    return float(np.exp(log_P[2 * len(_STRANDS) + 1]))


def fit_parameters(days: Days, known_I: Numbers, series_IM: Doubles) -> Doubles:
    """Logarithms of the parameters (P,) by which the series are most likely.

    Args:
        known_I: days the series were measured on.
        series_IM: independent series that share their parameters, each of variance about 1.
    """
    log_P = days.start_P
    mean, square = np.zeros_like(log_P), np.zeros_like(log_P)
    for step in range(1, _STEPS + 1):  # Adam (Kingma & Ba 2015), with a falling pace
        slope_P = _slope(days, log_P, known_I, series_IM)
        mean = 0.9 * mean + 0.1 * slope_P
        square = 0.97 * square + 0.03 * slope_P**2
        way = (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.97**step)) + 1e-8)
        log_P = log_P - _PACE * (1 - 0.7 * step / _STEPS) * way
    return log_P


def _slope(days: Days, log_P: Doubles, known_I: Numbers, series_IM: Doubles) -> Doubles:
    """Gradient of the mean negative log likelihood and of the belief in the start, (P,)."""
    total = covariance(days, log_P, known_I, known_I) + noise(log_P) * np.eye(len(known_I))
    inverse = np.linalg.inv(total)
    told_IM = inverse @ series_IM
    pull_II = 0.5 * (inverse - told_IM @ told_IM.T / series_IM.shape[1])
    strands, year, traits_C = _parts(days, log_P, known_I, known_I)
    gap = days.gap_DD[np.ix_(known_I, known_I)]
    slopes = []
    for index, strand in enumerate(strands):
        pulled = pull_II * strand
        slopes += [pulled.sum(), (pulled * gap).sum() / np.exp(log_P[2 * index + 1])]
    slopes += [(pull_II * year).sum(), np.trace(pull_II) * noise(log_P)]
    traits_IC = days.traits_DC[known_I]
    of_traits = ((pull_II @ traits_IC) * traits_IC).sum(axis=0) * traits_C
    belief = 2 * _BELIEF * (log_P - days.start_P)
    return np.asarray(np.concatenate([slopes, of_traits]) + belief)


def _parts(
    days: Days, log_P: Doubles, rows_I: Numbers, columns_J: Numbers
) -> tuple[list[Doubles], Doubles, Doubles]:
    """Covariance of each strand, of the year, and the variance of each trait."""
    at, value = np.ix_(rows_I, columns_J), np.exp(log_P)
    gap, count = days.gap_DD[at], len(_STRANDS)
    strands = [
        value[2 * index] * days.alike[index][at] * np.exp(-gap / value[2 * index + 1])
        for index in range(count)
    ]
    return strands, value[2 * count] * days.year_DD[at], value[2 * count + 2 :]


def _equal(values_D: Numbers) -> Doubles:
    return np.asarray(values_D[:, None] == values_D[None, :], dtype=np.float64)
