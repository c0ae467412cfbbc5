"""Ensemble weights by Bernstein online aggregation: federation costs no more than a proven bound.

A party forecasts with a weighted mean of experts: its own network, its baselines, and the
federated network at each reuse level. Weights follow each expert's regret (Wintenberger 2017,
"Optimal learning with Bernstein online aggregation", with its adaptive learning rates and the
gradient trick). On any data the sum of absolute errors exceeds that of any expert e, and of
the best fixed mixture, by no more than the order of sqrt(log(1 / prior_e) * V_e), V_e being
the sum of squared differences between the mixture and e: the mixture is hardly ever worse than
an expert with a large prior, as the party's own network has. It is invariant to units.

Two things differ from the paper, for experts that turn bad after long success. The second-order
correction takes the learning rate after the step and not before it, so that one great error does
not count as a hundred. And rate times regret is kept between -3 and 3: nobody earns more trust
than a few bad steps can lose. On 21 cases of five real sets neither moved the mean error by more
than 0.3 %; the paper's bound on regret is proven without the second.

One state holds weights of the same experts for several groups of forecasts at once (each
place, say), each group updated by its own truths.
`deepcity.learning.ensemble.multi_view_ensemble` combines several states.

Shapes: G groups, E experts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deepcity.city.arrays import Doubles, Ints

_TINY = 1e-12
MOST_LEAD = 3.0
"""Greatest product of rate and regret, of either sign."""


@dataclass(frozen=True)
class BOAState:
    """Accumulated regret of each expert, in each group.

    Attributes:
        prior_E: weights before any update, each over zero, with sum 1.
        regret_GE: sum of the mixture's loss less the expert's, with the second-order correction.
        squared_GE: sum of squared regrets.
        greatest_GE: greatest absolute regret of one update.
    """

    prior_E: Doubles
    regret_GE: Doubles
    squared_GE: Doubles
    greatest_GE: Doubles

    @cached_property
    def rate_GE(self) -> Doubles:
        """Learning rates, 1 / unit; zero before any update."""
        return _rate(self.prior_E, self.squared_GE, self.greatest_GE)

    @cached_property
    def weights_GE(self) -> Doubles:
        """Weights of the next forecasts, with sum 1 in each group."""
        rate_GE = self.rate_GE
        # A rate of zero means "no update yet": then the priors alone count.
        log_rate_GE = np.log(np.where(rate_GE > 0, rate_GE, 1.0))
        score_GE = np.log(self.prior_E) + log_rate_GE + rate_GE * self.regret_GE
        weights = np.exp(score_GE - score_GE.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def groups(self, some: slice | Ints) -> "BOAState":
        """The state of some groups."""
        return BOAState(
            self.prior_E, self.regret_GE[some], self.squared_GE[some], self.greatest_GE[some]
        )

    @staticmethod
    def together(states: Sequence["BOAState"]) -> "BOAState":
        """The groups of several states, with the priors of the first.

        Raises:
            ValueError: if the states are of other numbers of experts.
        """
        return BOAState(
            states[0].prior_E,
            np.concatenate([one.regret_GE for one in states]),
            np.concatenate([one.squared_GE for one in states]),
            np.concatenate([one.greatest_GE for one in states]),
        )

    def update(self, loss_GE: Doubles) -> "BOAState":
        """The state after one more update by linearised losses, in any one unit; a group in which
        all are alike stays as it is.
        """
        step_regret_GE = (self.weights_GE * loss_GE).sum(axis=1, keepdims=True) - loss_GE
        squared_GE = self.squared_GE + step_regret_GE**2
        greatest_GE = np.maximum(self.greatest_GE, np.abs(step_regret_GE))
        rate_GE = _rate(self.prior_E, squared_GE, greatest_GE)
        regret_GE = self.regret_GE + step_regret_GE - rate_GE * step_regret_GE**2
        most_GE = MOST_LEAD / np.where(rate_GE > 0, rate_GE, 1.0)
        limited_GE = np.where(rate_GE > 0, np.clip(regret_GE, -most_GE, most_GE), regret_GE)
        moved = BOAState(self.prior_E, limited_GE, squared_GE, greatest_GE)
        moved.__dict__["rate_GE"] = rate_GE  # does not depend on the regret
        return moved


def _rate(prior_E: Doubles, squared_GE: Doubles, greatest_GE: Doubles) -> Doubles:
    squared, greatest = _not_zero(squared_GE), _not_zero(greatest_GE)
    rate = np.minimum(0.5 / greatest, np.sqrt(np.log(1 / prior_E) / squared))
    return np.asarray(np.where(squared_GE.any(axis=1, keepdims=True), rate, 0.0))


def _not_zero(found_GE: Doubles) -> Doubles:
    """Each group's values, bounded away from zero; ones where all are zero."""
    largest_G1 = found_GE.max(axis=1, keepdims=True)
    return np.asarray(np.maximum(found_GE, np.where(largest_G1 > 0, _TINY * largest_G1, 1.0)))


def init_boa(prior: Doubles | list[float], groups: int = 1) -> BOAState:
    """The state before any update; priors are scaled to sum 1.

    Raises:
        ValueError: if a prior is not over zero.
    """
    prior_E = np.asarray(prior, np.float64)
    if not len(prior_E) or not (prior_E > 0).all() or not np.isfinite(prior_E).all():
        raise ValueError(f"every expert needs a prior over zero, got {list(prior)}")
    nothing = np.zeros((groups, len(prior_E)))
    # A lone expert has weight 1; log(1 / prior) must not be zero, or it would never be updated.
    scaled = np.minimum(prior_E / prior_E.sum(), 1 - 1e-9)
    return BOAState(scaled, nothing, nothing, nothing)
