"""All parties' raw rows in one network: forbidden in life, the upper bound of benchmarks.

Rows are pooled as the parties themselves see them, scaled and relative to typical days, so
that cities with different clocks, places and units can be pooled too. (Where all share one
clock, `deepcity.intercity.parties.pooled_party` also lets places of one party see those of
another.)

Shapes: R rows (one place at one origin), F features, H horizon steps, S summaries.
"""

from collections.abc import Sequence

import numpy as np

from deepcity.intercity.parties import Party
from deepcity.learning.features import Samples
from deepcity.learning.learner import PartyData
from deepcity.learning.recall import ridge


def pooled_rows(parties: Sequence[Party]) -> PartyData:
    """One party's data made of all parties' training and validation rows; scale 1, anchor 0.

    Raises:
        ValueError: if the parties differ in features or horizon.
    """
    train = _rows([party.data.train for party in parties])
    validation = _rows([party.data.validation for party in parties])
    recall_HS = ridge(train.summaries_BNHS, train.truth_BNH)
    return PartyData("pooled", train, validation, recall_HS)


def _rows(parts: Sequence[Samples]) -> Samples:
    """Samples of several parties as (R, 1, ...)."""
    sizes = {(part.features_BNF.shape[-1], part.summaries_BNHS.shape[2:]) for part in parts}
    if len(sizes) > 1:
        msg = f"parties with different features or horizons cannot be pooled: {sorted(sizes)}"
        raise ValueError(msg)
    target_RH = np.concatenate([_flat(part.target_BNH) for part in parts])[:, None]
    return Samples(
        np.concatenate([_flat(part.features_BNF) for part in parts])[:, None],
        np.concatenate([_flat(part.summaries_BNHS) for part in parts])[:, None],
        np.zeros_like(target_RH),
        target_RH,
        np.ones((1, 1), np.float32),
        parts[0].recent,
    )


def _flat(values_BNX: np.ndarray) -> np.ndarray:
    """Origins and places as rows."""
    return values_BNX.reshape(-1, *values_BNX.shape[2:])
