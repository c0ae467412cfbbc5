"""All parties' rows in one network: breaks privacy, the upper bound of benchmarks.

Rows are pooled as each party's own inputs, scaled and relative to typical days, so that cities
with different clocks, places and units can be pooled too. (Where all have one clock,
`deepcity.parties.party.pooled_party` also mixes places of different parties.)

Shapes: R rows (one place at one origin), F features, H horizon steps, S linear features.
"""

from collections.abc import Sequence

import numpy as np

from deepcity.learning.features.inputs import Samples
from deepcity.learning.features.ridge_skip import ridge
from deepcity.learning.training.learner import PartyData
from deepcity.parties.party import Party


def pooled_rows(parties: Sequence[Party]) -> PartyData:
    """All parties' training and validation rows as one party's; scale 1, seasonal baseline 0.

    Raises:
        ValueError: if the parties differ in features or horizon.
    """
    train = _rows([party.data.train for party in parties])
    validation = _rows([party.data.validation for party in parties])
    ridge_skip_HS = ridge(train.linear_BNHS, train.truth_BNH)
    return PartyData("pooled", train, validation, ridge_skip_HS)


def _rows(parts: Sequence[Samples]) -> Samples:
    """Samples of several parties as (R, 1, ...)."""
    sizes = {(part.features_BNF.shape[-1], part.linear_BNHS.shape[2:]) for part in parts}
    if len(sizes) > 1:
        msg = f"parties with different features or horizons cannot be pooled: {sorted(sizes)}"
        raise ValueError(msg)
    target_RH = np.concatenate([_flat(part.target_BNH) for part in parts])[:, None]
    return Samples(
        np.concatenate([_flat(part.features_BNF) for part in parts])[:, None],
        np.concatenate([_flat(part.linear_BNHS) for part in parts])[:, None],
        np.zeros_like(target_RH),
        target_RH,
        np.ones((1, 1), np.float32),
        parts[0].recent,
    )


def _flat(values_BNX: np.ndarray) -> np.ndarray:
    """Origins and places as rows."""
    return values_BNX.reshape(-1, *values_BNX.shape[2:])
