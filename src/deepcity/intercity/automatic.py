"""Choosing how deep to join, and never losing by it: levels as experts of one aggregate.

Two trainings are run once: alone, and joined at the deepest level granted. From the joined
network each party tries every level k: it keeps h1..hk as fused, and tunes the rest on its
own rows for a few steps, without another word to anyone. So all levels together cost far
less than one training each.

Alone and every level are then experts of one forecast (`deepcity.learning.aggregate`).
Learning alone begins with half the weight, the levels share the other half; weights move
with what each would have saved, first over the validation days and then from day to day as
truths come in. So a party is never much worse than alone, whatever the others send, and a
level that its few validation days misjudged is found later. The level told is that of the
level with most weight after the validation days; 0 where alone has over half of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcity.city.level import ALONE, layers_up_to
from deepcity.intercity.parties import Party
from deepcity.learning.aggregate import Aggregated, Standing, aggregate, beginning
from deepcity.learning.features import Samples
from deepcity.learning.learner import Learner
from deepcity.learning.training import party_seed

Floats = NDArray[np.float32]
Expert = Callable[[Samples], Floats]
OWN_WEIGHT = 0.5  # of learning alone, before any truth; the levels share the rest


@dataclass(frozen=True)
class Choice:
    """What a party forecasts with: its experts, and what is known of them.

    Attributes:
        experts: level -> forecaster in the field's unit, (B, N, H); level 0 is learning alone.
        errors: level -> validation MAE in the field's unit.
        validation: the aggregate over the validation days, and what it learned there.
        gain: validation MAE saved by the aggregate against alone, in the field's unit.
        doubt: standard error of that saving, over days.
    """

    experts: Mapping[int, Expert]
    errors: Mapping[int, float]
    validation: Aggregated
    gain: float
    doubt: float

    @property
    def weights(self) -> dict[int, float]:
        """Weight of each level after the validation days."""
        return self.by_level(self.validation.standing)

    @property
    def level(self) -> int:
        """The level with most weight after the validation days; 0 where alone has over half."""
        weights = self.weights
        if len(weights) == 1 or weights[ALONE] > OWN_WEIGHT:
            return ALONE
        joined = [level for level in weights if level != ALONE]
        return max(joined, key=lambda level: (weights[level], level))

    def by_level(self, standing: Standing) -> dict[int, float]:
        """A standing's weights."""
        return dict(zip(self.experts, map(float, standing.weights_E), strict=True))

    def forecast(self, samples: Samples, origins_B: NDArray[np.int64]) -> Aggregated:
        """Forecasts for origins after the validation days, in order of time.

        Weights go on learning from the truths of earlier origins, each once it is known.
        """
        said = _said(self.experts, samples)
        return aggregate(said, samples.truth_BNH, origins_B, self.validation.standing)


def choose(
    party: Party,
    alone: Learner,
    joined: Learner,
    deepest: int,
    seed: int,
    *,
    common_stem: bool = False,
) -> Choice:
    """Tune every level up to `deepest` from the joined network, and weigh them with alone.

    Args:
        alone: trained at level 0, at its best state.
        joined: trained at level `deepest`, at its best state.
    """
    levels = {}
    for level in range(1, deepest + 1):
        draw = party_seed(seed, f"{party.name}/refit", level)
        kept = layers_up_to(level, common_stem=common_stem)
        levels[level] = joined.refit(kept, joined.settings.refit_steps, draw).forecast
    return weigh(party, alone.forecast, levels)


def weigh(party: Party, alone: Expert, levels: Mapping[int, Expert]) -> Choice:
    """Run the aggregate of alone and the levels over the validation days."""
    experts = {ALONE: alone, **levels}
    share = (1 - OWN_WEIGHT) / max(len(levels), 1)
    prior = [OWN_WEIGHT if level == ALONE else share for level in experts]
    samples, origins_B = party.data.validation, party.validation_origins
    said_EBNH = _said(experts, samples)
    validation = aggregate(said_EBNH, samples.truth_BNH, origins_B, beginning(prior))

    def by_day(said_BNH: Floats) -> NDArray[np.float64]:
        days_B = origins_B // party.panel.clock.steps_per_day
        return _error_by_day(said_BNH, samples.truth_BNH, days_B)

    errors = [by_day(said_BNH) for said_BNH in said_EBNH]
    saved = errors[0] - by_day(validation.forecast_BNH)
    return Choice(
        experts=experts,
        errors={level: float(e.mean()) for level, e in zip(experts, errors, strict=True)},
        validation=validation,
        gain=float(saved.mean()),
        doubt=float(saved.std(ddof=1) / np.sqrt(len(saved))) if len(saved) > 1 else float("inf"),
    )


def _said(experts: Mapping[int, Expert], samples: Samples) -> Floats:
    return np.stack([expert(samples) for expert in experts.values()])


def _error_by_day(
    said_BNH: Floats, truth_BNH: Floats, days_B: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Mean absolute error of each day's forecasts (origins of one day count as one)."""
    error_BNH = np.abs(said_BNH - truth_BNH)
    known = np.isfinite(error_BNH)
    days = np.unique(days_B)
    total = np.array([np.where(known, error_BNH, 0)[days_B == day].sum() for day in days])
    count = np.array([known[days_B == day].sum() for day in days])
    return np.asarray(total[count > 0] / count[count > 0], dtype=np.float64)
