"""A party's experts, run as one ensemble over its samples.

Shapes: E experts, B origins, N places, H horizon steps.
"""

from collections.abc import Sequence

import numpy as np

from deepcity.city.arrays import Floats, Ints
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
    experts: Sequence[tuple[int, Expert]], samples: Samples, origins_B: Ints
) -> Floats:
    """Each expert's forecasts, (E, B, N, H)."""
    return np.stack([expert.predict(samples, origins_B) for _, expert in experts])
