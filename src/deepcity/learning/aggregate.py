"""Weighing experts as truths come in, so that joining cannot cost much: a theorem, not a hope.

A party forecasts with a weighted mean of experts: its own network, its anchors, and the
joined network at each reuse level. Weights follow what each expert would have saved, by
Bernstein online aggregation (Wintenberger 2017, "Optimal learning with Bernstein online
aggregation", with its adaptive learning rates and the gradient trick). Whatever comes, the
sum of absolute errors exceeds that of any expert e, and of the best fixed mixture, by no more
than the order of sqrt(log(1 / prior_e) * V_e), V_e being the sum of squared differences
between the mixture and e: an expert with a large prior, as the party's own network has, is
hardly ever lost to. Units do not matter.

A forecast made at an origin is weighed by truths known at that origin alone: those of
earlier forecasts whose last step has passed.

Shapes: E experts, B origins, N places, H horizon steps.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
_TINY = 1e-12


@dataclass(frozen=True)
class Standing:
    """What is known of each expert so far.

    Attributes:
        prior_E: weights before any truth, each over zero, with sum 1.
        regret_E: what each would have saved so far, less its second-order price.
        squared_E: sum of squared savings.
        greatest_E: greatest saving or loss of one forecast.
    """

    prior_E: Doubles
    regret_E: Doubles
    squared_E: Doubles
    greatest_E: Doubles

    @property
    def rate_E(self) -> Doubles:
        """Learning rates, 1 / unit; zero before any truth."""
        if not self.squared_E.any():
            return np.zeros_like(self.prior_E)
        squared = np.maximum(self.squared_E, _TINY * self.squared_E.max())
        greatest = np.maximum(self.greatest_E, _TINY * self.greatest_E.max())
        return np.asarray(np.minimum(0.5 / greatest, np.sqrt(np.log(1 / self.prior_E) / squared)))

    @property
    def weights_E(self) -> Doubles:
        """Weights of the next forecast, with sum 1."""
        rate_E = self.rate_E
        if not rate_E.any():
            return self.prior_E
        score_E = np.log(self.prior_E) + np.log(rate_E) + rate_E * self.regret_E
        weights = np.exp(score_E - score_E.max())
        return np.asarray(weights / weights.sum())

    def after(self, loss_E: Doubles) -> "Standing":
        """The standing after one more forecast's losses (linearised, in any one unit)."""
        saved_E = self.weights_E @ loss_E - loss_E
        return replace(
            self,
            regret_E=self.regret_E + saved_E - self.rate_E * saved_E**2,
            squared_E=self.squared_E + saved_E**2,
            greatest_E=np.maximum(self.greatest_E, np.abs(saved_E)),
        )


def beginning(prior: NDArray[np.float64] | list[float]) -> Standing:
    """No truth known yet; priors are scaled to sum 1.

    Raises:
        ValueError: if a prior is not over zero.
    """
    prior_E = np.asarray(prior, np.float64)
    if not len(prior_E) or not (prior_E > 0).all() or not np.isfinite(prior_E).all():
        msg = f"every expert needs a prior over zero, got {list(prior)}"
        raise ValueError(msg)
    nothing = np.zeros_like(prior_E)
    # A lone expert has weight 1; log(1 / prior) must not be zero, or it would never learn.
    scaled = np.minimum(prior_E / prior_E.sum(), 1 - 1e-9)
    return Standing(scaled, nothing, nothing, nothing)


@dataclass(frozen=True)
class Aggregated:
    """Forecasts, the weights each was made with, and the standing once all truths are known."""

    forecast_BNH: Floats
    weights_BE: Doubles
    standing: Standing


def aggregate(
    said_EBNH: Floats, truth_BNH: Floats, origins_B: NDArray[np.int64], standing: Standing
) -> Aggregated:
    """Weighted forecasts for origins in order of time.

    Args:
        truth_BNH: NaN where not measured.
        origins_B: (B,) step indices, ascending; forecast b's truths are known at origin c if
            origins_B[b] + H <= origins_B[c].
    """
    horizon = truth_BNH.shape[-1]
    mixed, weights = np.empty_like(truth_BNH), []
    learned = 0
    for now, origin in enumerate(origins_B):
        while learned < now and origins_B[learned] + horizon <= origin:
            standing = _learned(standing, said_EBNH[:, learned], mixed[learned], truth_BNH[learned])
            learned += 1
        weights.append(standing.weights_E)
        mixed[now] = np.tensordot(weights[-1], said_EBNH[:, now], 1)
    for late in range(learned, len(origins_B)):
        standing = _learned(standing, said_EBNH[:, late], mixed[late], truth_BNH[late])
    return Aggregated(mixed, np.array(weights).reshape(len(origins_B), -1), standing)


def _learned(standing: Standing, said_ENH: Floats, mixed_NH: Floats, truth_NH: Floats) -> Standing:
    """Learn from one forecast: the gradient of its absolute error along each expert."""
    known = np.isfinite(truth_NH)
    if not known.any():
        return standing
    side = np.sign(mixed_NH[known] - truth_NH[known])
    loss_E = (said_ENH[:, known].astype(np.float64) * side).mean(axis=1)
    return standing.after(loss_E - loss_E.mean())
