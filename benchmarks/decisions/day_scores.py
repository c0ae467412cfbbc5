"""Whether two methods' scores differ by more than days do: a test of the same days, in pairs.

Networks of other seeds differ by little, days by much: fifteen days of forty against twelve is no
difference, however alike three seeds are. So whole days are drawn anew, the same for both methods
and for all seeds, in runs of neighbouring days, as these are alike (the moving block bootstrap:
Künsch 1989, "The jackknife and the bootstrap for general stationary observations"; its circular
form: Politis & Romano 1992). Quantiles of few days are too narrow and are taken further out
(the expanded percentile interval: Hesterberg 2015, "What teachers should know about the
bootstrap").

Shapes: X values, D days (or other groups that stand for themselves), S seeds, R draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles, Ints

LEVEL = 0.95
_DRAWS = 10_000


@dataclass(frozen=True, eq=False)
class DayScores:
    """A score by day: over any days it is the sum of `sum_D` over the sum of `weight_D`.

    Attributes:
        sum_D: of the values of each day, weighed.
        weight_D: what they weigh; 0 where a day has none.
        in_order: whether neighbouring ones are alike, as days are and districts are not.
    """

    sum_D: Doubles
    weight_D: Doubles
    in_order: bool = True

    @classmethod
    def of(
        cls,
        day_X: Ints,
        value_X: Doubles,
        weight_X: Doubles | None = None,
        *,
        in_order: bool = True,
    ) -> "DayScores":
        """Of values, each of some day; those that are not finite count nowhere."""
        days, where_X = np.unique(day_X, return_inverse=True)
        weight_X = np.ones(len(value_X)) if weight_X is None else weight_X
        weight_X = np.where(np.isfinite(value_X), weight_X, 0.0)
        sum_D, weight_D = np.zeros(len(days)), np.zeros(len(days))
        np.add.at(sum_D, where_X, weight_X * np.nan_to_num(value_X))
        np.add.at(weight_D, where_X, weight_X)
        return cls(sum_D, weight_D, in_order)

    @property
    def score(self) -> float:
        """Over all days; NaN without a value."""
        return float(_ratio(self.sum_D.sum(), self.weight_D.sum()))


@dataclass(frozen=True)
class Difference:
    """How much more one method scores than another, mean over seeds.

    Attributes:
        low, high: where it would be on other days, in `LEVEL` of the cases.
    """

    mean: float
    low: float
    high: float

    @property
    def sure(self) -> bool:
        """Whether all of it lies on one side of 0."""
        return self.low > 0 or self.high < 0


def difference(ours: Sequence[DayScores], other: Sequence[DayScores]) -> Difference:
    """The first method's score less the second's, by the same days.

    Args:
        ours, other: one a seed, all of the same days in order of time. Where one has a single
            seed, as what is not learned may, it stands beside all of the other's.
    """
    first_SD, second_SD = (_stacked(one) for one in (ours, other))
    days = first_SD[0].shape[1]
    rng = np.random.default_rng(0)
    drawn_RD = _days_drawn(days, rng, in_order=ours[0].in_order)
    ours_R, other_R = (_scores(*one, drawn_RD).mean(axis=0) for one in (first_SD, second_SD))
    mean = float(np.mean([one.score for one in ours]) - np.mean([one.score for one in other]))
    outside = _expanded((1 - LEVEL) / 2, days)
    low, high = np.nanquantile(ours_R - other_R, [outside, 1 - outside])
    return Difference(mean, float(low), float(high))


def _stacked(found: Sequence[DayScores]) -> tuple[Doubles, Doubles]:
    return np.array([one.sum_D for one in found]), np.array([one.weight_D for one in found])


def _scores(sum_SD: Doubles, weight_SD: Doubles, drawn_RD: Ints) -> Doubles:
    """Each seed's score over the days drawn, (S, R)."""
    return _ratio(sum_SD[:, drawn_RD].sum(axis=2), weight_SD[:, drawn_RD].sum(axis=2))


def _ratio(part: Doubles, whole: Doubles) -> Doubles:
    return np.asarray(part / np.where(np.asarray(whole) > 0, whole, np.nan))


def _days_drawn(days: int, rng: np.random.Generator, *, in_order: bool) -> Ints:
    """Positions of as many days as there are, (R, D), in runs of their cube root, from any on; the
    last day is followed by the first.
    """
    run = int(np.ceil(days ** (1 / 3))) if in_order else 1
    starts_RK = rng.integers(0, days, (_DRAWS, -(-days // run)))
    found_RD = (starts_RK[:, :, None] + np.arange(run)) % days
    return np.asarray(found_RD.reshape(_DRAWS, -1)[:, :days])


def _expanded(outside: float, days: int) -> float:
    """The share to leave out at each end, so that an interval of few days is as wide as one of
    Student's t.
    """
    from scipy.stats import norm, t  # takes a second to import

    if days < 2:
        return 0.0
    return float(norm.cdf(t.ppf(outside, days - 1) * (days / (days - 1)) ** 0.5))
