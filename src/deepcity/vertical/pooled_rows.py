"""The upper bound of vertical training: every agency's raw columns in one table.

Forbidden in life, and a simulation alone: no coordinator is given what this gives.

Shapes: B origins, N places, C cells of an agency, X inputs of an agency, F features.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from deepcity.city.arrays import Ints
from deepcity.learning.columns import Columns
from deepcity.learning.features import Samples
from deepcity.learning.match import match
from deepcity.learning.own_columns import OwnColumns


def with_raw_columns(
    samples: Samples,
    times_B: Ints,
    place_cells: Sequence[int],
    agencies: Iterable[Columns | OwnColumns],
) -> Samples:
    """A party's features (B, N, F), and behind them every agency's raw inputs for each place."""
    parts = [samples.features_BNF]
    for columns in agencies:
        weights_NC = match(place_cells, columns.cells.cell_C)
        rows_BCX = columns.rows(times_B) * columns.known(times_B)[..., None]
        parts.append(np.einsum("nc,bcx->bnx", weights_NC, rows_BCX).astype(np.float32))
    return replace(samples, features_BNF=np.concatenate(parts, axis=-1))
