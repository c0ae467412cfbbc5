"""What a decision is made from: a weighted mean of the learned forecast and of naive ones.

Forecasts are evaluated by their errors; a decision needs a probability, a peak or a share, and the
forecast that errs least is not always the one that gives the best of those. So each source of
forecasts gives its own, and earlier days weigh them: the mean with the least squared error, no
weight below zero (stacking: Wolpert 1992; Breiman 1996, "Stacked regressions"). Weights are
shrunk to the learned forecast, by one day's error of the best source: those that differ by nothing,
or by less than the noise of few days, change nothing, and one that is far off counts for nothing.

Shapes: S sources, the learned one first, X values of earlier days.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deepcity.applications.decision import Reason
from deepcity.city.arrays import Doubles

LEARNED = "learned"
"""The source that every state has: its forecast."""
WEIGHED = "sources-weighed"
"""Code of the reason that tells how much each source counted, and by what errors."""
_PRIOR_DAYS = 1.0
_LEAST = 5e-3  # a smaller weight is none: it would be named for nothing
_LEAST_SHRINK = 1e-6
_ONE = 1e3  # how much a sum of weights off 1 costs; scaled afterwards


@dataclass(frozen=True)
class Pool:
    """How much each source counts.

    Attributes:
        weights: by source, the learned one first; not negative, with sum 1.
        days: that they were weighed by; older ones may count less than one.
        error, learned_error: root mean squared error of the weighted mean, and of the learned
            source alone, on these days; 0 without any.
    """

    weights: Mapping[str, float]
    days: float = 0.0
    error: float = 0.0
    learned_error: float = 0.0

    def mean(self, found: Mapping[str, Doubles]) -> Doubles:
        """The weighted mean; where a source has no value, the learned one stands in."""
        mixed: Doubles = np.zeros(found[LEARNED].shape)
        for name, weight in self.weights.items():
            values = found[name]
            mixed += weight * np.where(np.isfinite(values), values, found[LEARNED])
        return mixed

    def reason(self, of: str = "") -> Reason:
        """It as a reason, `of` being what was weighed where there are several."""
        shares = {name.replace("_", "-"): share for name, share in self.weights.items() if share}
        numbers = {
            "days": self.days,
            "error": self.error,
            "learned-error": self.learned_error,
            **{f"share-{name}": share for name, share in shares.items()},
        }
        return Reason(f"{of}-{WEIGHED}" if of else WEIGHED, numbers)


def learned_alone(names: tuple[str, ...] = (LEARNED,)) -> Pool:
    """All weight on the learned source."""
    return Pool({name: float(name == LEARNED) for name in names})


def weigh(
    found: Mapping[str, Doubles], truth_X: Doubles, days: float, weight_X: Doubles | None = None
) -> Pool:
    """Weights of the sources by what each has been worth.

    Args:
        found: source -> its values, (X,), the learned one first. Where another has none, the
            learned one stands in; where the learned one or the truth has none, nothing is weighed.
        days: how many the values are of.
        weight_X: how much each value counts; None: all alike.
    """
    names, learned_X = tuple(found), found[LEARNED]
    known_X = np.isfinite(truth_X) & np.isfinite(learned_X)
    weight_X = np.ones(len(truth_X)) if weight_X is None else weight_X
    weight_X = np.where(known_X, weight_X, 0.0)
    if days <= 0 or not weight_X.any():
        return learned_alone(names)
    share_X = weight_X / weight_X.sum()
    left_X = np.where(known_X, truth_X - learned_X, 0.0)
    more_SX = np.array([np.where(np.isfinite(one), one, learned_X) for one in found.values()])
    more_SX = np.where(known_X, more_SX - learned_X, 0.0)
    noise = float(((left_X - more_SX) ** 2 @ share_X).min())  # of the best source
    root_X = np.sqrt(share_X)
    weight_S = _simplex(more_SX * root_X, left_X * root_X, _PRIOR_DAYS * noise / days)
    mean_error = float(share_X @ (left_X - weight_S @ more_SX) ** 2) ** 0.5
    learned_error = float(share_X @ left_X**2) ** 0.5
    weights = dict(zip(names, weight_S.tolist(), strict=True))
    return Pool(weights, days, mean_error, learned_error)


def _simplex(more_SX: Doubles, left_X: Doubles, shrink: float) -> Doubles:
    """Weights of the sources' differences from the first that leave least, with sum 1; a weight
    that moves costs `shrink` times its square.
    """
    from scipy.optimize import nnls  # takes a second to import

    first_S: Doubles = np.eye(len(more_SX))[0]
    product_SS = more_SX @ more_SX.T
    unit = float(np.trace(product_SS)) / len(more_SX)
    if unit <= 0:
        return first_S
    shrink = max(shrink / unit, _LEAST_SHRINK)
    matrix_SS = product_SS / unit + shrink * np.eye(len(more_SX)) + _ONE
    target_S = more_SX @ left_X / unit + shrink * first_S + _ONE
    root_SS = np.linalg.cholesky(matrix_SS)
    found_S, _ = nnls(root_SS.T, np.linalg.solve(root_SS, target_S))
    found_S = np.where(found_S < _LEAST, 0.0, found_S)
    weight_S: Doubles = np.asarray(found_S / found_S.sum(), np.float64)
    return weight_S
