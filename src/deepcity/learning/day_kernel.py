"""How alike two days are: the covariance of a Gaussian process over days.

A sum of strands (Rasmussen & Williams 2006, ch. 5.4.3): what passes within days, what drifts
over weeks, what weekdays and sorts of days have of their own, what comes back every year,
what traits such as weather and holidays do, and noise. How much each strand counts and how
long it is remembered is learned by the likelihood of the training days, drawn towards a
start that holds for most flows; its gradient is written out (same book, ch. 5.4.1).

Shapes: D days, I and J some of them, P parameters, C traits, M series.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Doubles, Ints

# Variance and memory in days of each strand, for series of variance 1: fast, slow, the same
# weekday, the same sort of day (working day, Saturday, Sunday).
_STRANDS = ((0.2, 3.0), (0.4, 40.0), (0.1, 60.0), (0.4, 150.0))
_OF_YEAR, _OF_NOISE = 8, 9  # where their parameters stand, after the strands
OWN_PARAMETERS = 10  # one for each trait follows
_YEAR, _NOISE, _TRAIT = 0.1, 0.3, 0.05
_YEAR_DAYS, _SEASON = 365.25, 0.3  # a season is about this share of a year's radian
_BELIEF = 0.05  # how strongly the logarithm of a parameter is drawn to its start
_STEPS, _PACE = 30, 0.15
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
        return np.asarray(np.log(np.concatenate([strands, [_YEAR, _NOISE], traits])))


def days_alike(weekday_D: Ints, traits_DC: NDArray[np.floating]) -> Days:
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


def covariance(days: Days, log_P: Doubles, rows_I: Ints, columns_J: Ints) -> Doubles:
    """Between two sets of days, without noise, (I, J)."""
    at, variance_C = np.ix_(rows_I, columns_J), np.exp(log_P[OWN_PARAMETERS:])
    gap, alike = days.gap_DD[at], [one[at] for one in days.alike]
    shared = sum(_strands(gap, alike, log_P)) + np.exp(log_P[_OF_YEAR]) * days.year_DD[at]
    traits_IC, traits_JC = days.traits_DC[rows_I], days.traits_DC[columns_J]
    return np.asarray(shared + (traits_IC * variance_C) @ traits_JC.T)


def noise(log_P: Doubles) -> float:
    """Variance of what no other day tells."""
    return float(np.exp(log_P[_OF_NOISE]))


def fit_parameters(days: Days, known_I: Ints, series_IM: Doubles) -> Doubles:
    """Logarithms of the parameters (P,) by which the series are most likely.

    Args:
        known_I: days the series were measured on.
        series_IM: independent series that share their parameters, each of variance about 1.
    """
    own = _among(days, known_I)
    log_P = days.start_P
    mean, square = np.zeros_like(log_P), np.zeros_like(log_P)
    for step in range(1, _STEPS + 1):  # Adam (Kingma & Ba 2015), with a falling pace
        slope_P = _slope(own, log_P, series_IM)
        mean = 0.9 * mean + 0.1 * slope_P
        square = 0.97 * square + 0.03 * slope_P**2
        way = (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.97**step)) + 1e-8)
        log_P = log_P - _PACE * (1 - 0.7 * step / _STEPS) * way
    return log_P


def _slope(days: Days, log_P: Doubles, series_DM: Doubles) -> Doubles:
    """Gradient of the mean negative log likelihood and of the belief in the start, (P,)."""
    value = np.exp(log_P)
    strands = _strands(days.gap_DD, days.alike, log_P)
    year, traits_DC = value[_OF_YEAR] * days.year_DD, days.traits_DC
    total = sum(strands) + year + (traits_DC * value[OWN_PARAMETERS:]) @ traits_DC.T
    inverse = np.linalg.inv(total + value[_OF_NOISE] * np.eye(len(traits_DC)))
    told_DM = inverse @ series_DM
    pull_DD = 0.5 * (inverse - told_DM @ told_DM.T / series_DM.shape[1])
    slopes = []
    for strand, memory in zip(strands, value[1:_OF_YEAR:2], strict=True):
        pulled = pull_DD * strand
        slopes += [pulled.sum(), np.vdot(pulled, days.gap_DD) / memory]
    slopes += [np.vdot(pull_DD, year), np.trace(pull_DD) * value[_OF_NOISE]]
    of_traits_C = ((pull_DD @ traits_DC) * traits_DC).sum(axis=0) * value[OWN_PARAMETERS:]
    belief_P = 2 * _BELIEF * (log_P - days.start_P)
    return np.asarray(np.concatenate([slopes, of_traits_C]) + belief_P)


def _strands(gap: Doubles, alike: Sequence[Doubles], log_P: Doubles) -> list[Doubles]:
    """Covariance of each strand."""
    value = np.exp(log_P[:_OF_YEAR])
    pairs = zip(alike, value[::2], value[1::2], strict=True)
    return [variance * shared * np.exp(-gap / memory) for shared, variance, memory in pairs]


def _among(days: Days, known_I: Ints) -> Days:
    """The same for some days only."""
    at = np.ix_(known_I, known_I)
    alike = tuple(shared[at] for shared in days.alike)
    return Days(days.gap_DD[at], alike, days.year_DD[at], days.traits_DC[known_I])


def _equal(values_D: Ints) -> Doubles:
    return np.asarray(values_D[:, None] == values_D[None, :], dtype=np.float64)
