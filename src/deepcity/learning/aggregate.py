"""Weighing experts as truths come in, so that joining cannot cost much: a theorem, not a hope.

A party forecasts with a weighted mean of experts: its own network, its anchors, and the
joined network at each reuse level. Weights follow what each expert would have saved, by
Bernstein online aggregation (Wintenberger 2017, "Optimal learning with Bernstein online
aggregation", with its adaptive learning rates and the gradient trick). Whatever comes, the
sum of absolute errors exceeds that of any expert e, and of the best fixed mixture, by no more
than the order of sqrt(log(1 / prior_e) * V_e), V_e being the sum of squared differences
between the mixture and e: an expert with a large prior, as the party's own network has, is
hardly ever lost to. Units do not matter.

A forecast made at an origin is weighed by truths known at that origin alone. Each step's
truths teach as soon as the step has passed, once, by the mean over all forecasts that spoke
of it: what is said a day ahead is judged hour by hour, and not first when the day is over.

Shapes: E experts, B origins, J forecasts that spoke of one step, N places, H horizon steps.
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
        origins_B: (B,) step indices, ascending; the truth of forecast b's step h is known at
            origin c if origins_B[b] + h < origins_B[c].
    """
    mixed, weights = np.empty_like(truth_BNH), []
    lessons = _Lessons(said_EBNH, truth_BNH, mixed, origins_B)
    for now, origin in enumerate(origins_B):
        if now:
            standing = lessons.learned(standing, range(int(origins_B[now - 1]), int(origin)), now)
        weights.append(standing.weights_E)
        mixed[now] = np.tensordot(weights[-1], said_EBNH[:, now], 1)
    if len(origins_B):
        left = range(int(origins_B[-1]), int(origins_B[-1]) + truth_BNH.shape[-1])
        standing = lessons.learned(standing, left, len(origins_B))
    return Aggregated(mixed, np.array(weights).reshape(len(origins_B), -1), standing)


@dataclass(frozen=True)
class _Lessons:
    """What was said and what came true, by the step it is about."""

    said_EBNH: Floats
    truth_BNH: Floats
    mixed_BNH: Floats  # filled while forecasts are made
    origins_B: NDArray[np.int64]

    def learned(self, standing: Standing, steps: range, made: int) -> Standing:
        """The standing once these steps have passed, so many forecasts having been made."""
        horizon = self.truth_BNH.shape[-1]
        for step in steps[:horizon]:  # nobody has spoken of later ones
            first = int(np.searchsorted(self.origins_B[:made], step - horizon, side="right"))
            if first < made:
                standing = self._step(standing, np.arange(first, made), step)
        return standing

    def _step(self, standing: Standing, spoke_J: NDArray[np.int64], step: int) -> Standing:
        """The gradient of the mean absolute error along each expert."""
        leads_J = step - self.origins_B[spoke_J]
        truth_JN = self.truth_BNH[spoke_J, :, leads_J]
        known_JN = np.isfinite(truth_JN)
        if not known_JN.any():
            return standing
        off_JN = self.mixed_BNH[spoke_J, :, leads_J] - truth_JN
        share_JN = np.sign(np.where(known_JN, off_JN, 0.0)) / known_JN.sum()
        said_JEN = self.said_EBNH[:, spoke_J, :, leads_J].astype(np.float64)
        loss_E = np.einsum("jen,jn->e", np.where(known_JN[:, None], said_JEN, 0.0), share_JN)
        return standing.after(loss_E - loss_E.mean())
