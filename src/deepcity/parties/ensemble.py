"""A party's experts, run as one ensemble over its samples.

Shapes: E experts, B origins, N places, H horizon steps.
"""

from collections.abc import Sequence

import numpy as np

from deepcity.city.arrays import Floats, Ints
from deepcity.city.level import ALONE
from deepcity.learning.ensemble.forecast_bounds import ForecastBounds
from deepcity.learning.ensemble.multi_view_ensemble import (
    EnsembleForecast,
    MultiViewEnsemble,
    parts_of_day,
    run_ensemble,
)
from deepcity.learning.experts.expert import Expert
from deepcity.learning.features.inputs import Samples
from deepcity.parties.party import Party

OWN_WEIGHT = 0.5  # prior of all own experts together


def run_party_ensemble(
    party: Party,
    forecast_EBNH: Floats,
    samples: Samples,
    origins_B: Ints,
    ensemble: MultiViewEnsemble,
) -> EnsembleForecast:
    """Run the ensemble over a party's samples, from a state."""
    truth_BNH = samples.truth_BNH
    part_BH = parts_of_day(party.inputs.grid, origins_B, truth_BNH.shape[-1])
    return run_ensemble(
        forecast_EBNH, truth_BNH, origins_B, part_BH, ensemble, party.metric.gradient
    )


def expert_forecasts(
    experts: Sequence[tuple[int, Expert]], samples: Samples, origins_B: Ints, values_TN: Floats
) -> Floats:
    """Each expert's forecasts, (E, B, N, H); those of joined experts are bounded.

    Every forecast that is weighed is made here, so that no joined expert can reach an ensemble
    without its bounds (`deepcity.learning.ensemble.forecast_bounds`).

    Args:
        experts: (level, expert), level 0 for the party's own; the first of them stands in where
            a joined forecast is not finite.
        values_TN: the party's records; NaN where missing.
    """
    own = [expert for level, expert in experts if level == ALONE]
    own_BNH = own[0].predict(samples, origins_B)
    joined = len(own) < len(experts)
    bounds = ForecastBounds.of(samples, values_TN, origins_B) if joined else None
    found = []
    for level, expert in experts:
        forecast_BNH = own_BNH if expert is own[0] else expert.predict(samples, origins_B)
        if bounds is not None and level != ALONE:
            forecast_BNH = bounds.clip(forecast_BNH, own_BNH)
        found.append(forecast_BNH)
    return np.stack(found)
