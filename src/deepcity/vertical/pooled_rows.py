"""The upper bound of vertical training: every agency's raw columns in one table.

Only for simulations, as it breaks privacy; no coordinator receives these rows.

Shapes: B origins, N places, C cells of an agency, X inputs of an agency, F features.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from deepcity.city.arrays import Ints
from deepcity.learning.features.agency_columns import Columns
from deepcity.learning.features.input_columns import InputColumns
from deepcity.learning.features.inputs import Samples
from deepcity.learning.split.cell_matching import match_cells


def with_raw_columns(
    samples: Samples,
    times_B: Ints,
    place_cells: Sequence[int],
    agencies: Iterable[Columns | InputColumns],
) -> Samples:
    """A party's samples, with every agency's raw inputs appended to the features of each place."""
    parts = [samples.features_BNF]
    for columns in agencies:
        weights_NC = match_cells(place_cells, columns.cells.cell_C)
        rows_BCX = columns.rows(times_B) * columns.known(times_B)[..., None]
        parts.append(np.einsum("nc,bcx->bnx", weights_NC, rows_BCX).astype(np.float32))
    return replace(samples, features_BNF=np.concatenate(parts, axis=-1))
