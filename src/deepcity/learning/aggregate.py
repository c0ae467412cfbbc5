"""Weighing experts as truths come in, so that joining cannot cost much: a theorem, not a hope.

A party forecasts with a weighted mean of experts: its own network, its anchors, and the
joined network at each reuse level. Weights follow what each expert would have saved, by
Bernstein online aggregation (Wintenberger 2017, "Optimal learning with Bernstein online
aggregation", with its adaptive learning rates and the gradient trick). Whatever comes, the
sum of absolute errors exceeds that of any expert e, and of the best fixed mixture, by no more
than the order of sqrt(log(1 / prior_e) * V_e), V_e being the sum of squared differences
between the mixture and e: an expert with a large prior, as the party's own network has, is
hardly ever lost to. Units do not matter.

One standing weighs the same experts in several groups of forecasts at once (each place, say),
each group by its own truths. `deepcity.learning.council` sets several of them side by side.

Shapes: G groups, E experts.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from deepcity.city.arrays import Bools, Doubles

_TINY = 1e-12


@dataclass(frozen=True)
class Standing:
    """What is known of each expert so far, in each group.

    Attributes:
        prior_E: weights before any truth, each over zero, with sum 1.
        regret_GE: what each would have saved so far, less its second-order price.
        squared_GE: sum of squared savings.
        greatest_GE: greatest saving or loss of one lesson.
    """

    prior_E: Doubles
    regret_GE: Doubles
    squared_GE: Doubles
    greatest_GE: Doubles

    @cached_property
    def rate_GE(self) -> Doubles:
        """Learning rates, 1 / unit; zero before any truth."""
        squared, greatest = _not_zero(self.squared_GE), _not_zero(self.greatest_GE)
        rate = np.minimum(0.5 / greatest, np.sqrt(np.log(1 / self.prior_E) / squared))
        return np.asarray(np.where(self.squared_GE.any(axis=1, keepdims=True), rate, 0.0))

    @cached_property
    def weights_GE(self) -> Doubles:
        """Weights of the next forecasts, with sum 1 in each group."""
        rate_GE = self.rate_GE
        # A rate of zero stands for "no truth yet": then the priors alone count.
        faith_GE = np.log(np.where(rate_GE > 0, rate_GE, 1.0))
        score_GE = np.log(self.prior_E) + faith_GE + rate_GE * self.regret_GE
        weights = np.exp(score_GE - score_GE.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def after(self, loss_GE: Doubles, told_G: Bools | None = None) -> "Standing":
        """The standing after one more lesson (linearised losses, in any one unit).

        Args:
            told_G: which groups it is about; all where None.
        """
        rate_GE = self.rate_GE
        saved_GE = (self.weights_GE * loss_GE).sum(axis=1, keepdims=True) - loss_GE
        if told_G is not None:
            saved_GE = np.where(told_G[:, None], saved_GE, 0.0)
        return replace(
            self,
            regret_GE=self.regret_GE + saved_GE - rate_GE * saved_GE**2,
            squared_GE=self.squared_GE + saved_GE**2,
            greatest_GE=np.maximum(self.greatest_GE, np.abs(saved_GE)),
        )


def _not_zero(found_GE: Doubles) -> Doubles:
    """Each group's values, none under a trace of its largest; ones where all are zero."""
    largest_G1 = found_GE.max(axis=1, keepdims=True)
    return np.asarray(np.maximum(found_GE, np.where(largest_G1 > 0, _TINY * largest_G1, 1.0)))


def beginning(prior: Doubles | list[float], groups: int = 1) -> Standing:
    """No truth known yet; priors are scaled to sum 1.

    Raises:
        ValueError: if a prior is not over zero.
    """
    prior_E = np.asarray(prior, np.float64)
    if not len(prior_E) or not (prior_E > 0).all() or not np.isfinite(prior_E).all():
        msg = f"every expert needs a prior over zero, got {list(prior)}"
        raise ValueError(msg)
    nothing = np.zeros((groups, len(prior_E)))
    # A lone expert has weight 1; log(1 / prior) must not be zero, or it would never learn.
    scaled = np.minimum(prior_E / prior_E.sum(), 1 - 1e-9)
    return Standing(scaled, nothing, nothing, nothing)
