"""A turncoat that knows the party's weights and its allowance, and lies only where lies count.

At each origin it lies if it is not set aside, has most of the weight, and has not spent the
allowance; else it forecasts the truth, and so earns back weight and allowance.

Shapes: E experts, B origins, N places, H horizon steps.
"""

from dataclasses import replace

import numpy as np

from benchmarks.hostile_members.turncoat import Turncoat
from deepcity.intercity.level_choice import LevelChoice
from deepcity.learning.ensemble.multi_view_ensemble import (
    EnsembleForecast,
    MultiViewEnsemble,
    PausedRun,
    continue_ensemble,
    parts_of_day,
)
from deepcity.parties.ensemble import expert_forecasts
from deepcity.parties.party import Party

_NEVER = 10**9
_MOST_OWN = 0.7  # weight of its own experts, up to which a lie is worth it
_FORECASTS_LEFT = 0.5  # of the own network's usual error, from which a lie is worth it


def forecast(choice: LevelChoice, party: Party) -> EnsembleForecast:
    """As `LevelChoice.forecast`, where joined experts lie only at origins of their choice."""
    origins_B, truth_BNH = party.test_origins, party.test.truth_BNH
    honest = [
        (level, replace(one, turn=_NEVER) if isinstance(one, Turncoat) else one)
        for level, one in choice.experts
    ]
    true_EBNH, lie_EBNH = (
        expert_forecasts(experts, party.test, origins_B, party.inputs.values_TN)
        for experts in (honest, choice.experts)
    )
    part_BH = parts_of_day(party.inputs.grid, origins_B, truth_BNH.shape[-1])
    paused = PausedRun.begin(choice.validation.ensemble, len(true_EBNH), truth_BNH)
    forecasts, gradient = [], party.metric.gradient
    for at in range(len(origins_B)):
        rows, new = slice(at - len(paused), at + 1), slice(at, at + 1)
        before = paused
        for forecast_EBNH in (true_EBNH, lie_EBNH):
            found, paused = continue_ensemble(
                before,
                forecast_EBNH[:, new],
                truth_BNH[rows],
                origins_B[new],
                part_BH[rows],
                gradient,
            )
            if not _worth_it(found.ensemble, before, int(origins_B[at]), truth_BNH.shape[-1]):
                break
        forecasts.append(found.forecast_BNH)
    found_BNH = np.maximum(np.concatenate(forecasts), np.float32(party.floor))
    return replace(found, forecast_BNH=found_BNH)


def _worth_it(ensemble: MultiViewEnsemble, before: PausedRun, now: int, horizon: int) -> bool:
    """Whether a lie at this origin would count."""
    recent, allowance = ensemble.recent, ensemble.allowance
    assert recent is not None
    if recent.aside_E.any() or ensemble.weights_E[~recent.joined_E].sum() > _MOST_OWN:
        return False
    if allowance is None:
        return True
    error_N = recent.own.cautious_N
    left = allowance.left(error_N, horizon, before.pending(now))
    return left > _FORECASTS_LEFT * horizon * float(error_N.sum())
