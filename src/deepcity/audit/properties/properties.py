"""Properties of a party's records as a whole, which records can be given or denied.

None of them is a row, and none is what a network is trained to tell; each may still be a secret of
an agency: whether it measures at weekends, whether its demand grows, how long it has measured.

Shapes: T steps, N places.
"""

from enum import StrEnum

import numpy as np

from deepcity.city.arrays import Bools, Floats
from deepcity.city.clock import DAY_S
from deepcity.data.windows import Span

GROWTH = 0.3
"""From the first to the last step that is learned from."""
_SHORTER, _HIDDEN = 0.5, 0.1


class RecordsProperty(StrEnum):
    """What may be true of a party's records."""

    WEEKENDS = "weekends"  # it measures at weekends; without: as many weekdays are missing
    GROWTH = "growth"  # its values grow by 30 % over the span; without: as they are
    SIZE = "size"  # it has all of its days; without: half of them
    NOTHING = "nothing"  # no difference: whoever tells it is fooled by the attack itself


def with_property(
    which: RecordsProperty,
    values_TN: Floats,
    weekend_T: Bools,
    train: Span,
    step_s: int,
    *,
    has: bool,
    seed: int,
) -> Floats:
    """Records with or without a property, and without a random tenth of their days besides.

    Args:
        weekend_T: whether a step is of a Saturday or Sunday.
        train: the steps learned from; others stay as they are.
    """
    rng, found = np.random.default_rng(seed), values_TN.copy()
    day_T = (np.arange(len(values_TN)) - train.start) // max(1, DAY_S // step_s)
    inside_T = np.zeros(len(values_TN), bool)
    inside_T[train.start : train.end] = True
    days = np.unique(day_T[inside_T])
    hidden = rng.choice(days, round(_HIDDEN * len(days)), replace=False)
    if which is RecordsProperty.GROWTH and has:
        grown_T = 1 + GROWTH * np.clip((np.arange(len(values_TN)) - train.start) / len(train), 0, 1)
        found *= grown_T[:, None].astype(found.dtype)
    elif which is RecordsProperty.SIZE and not has:
        hidden = rng.choice(days, round(_SHORTER * len(days)), replace=False)
    elif which is RecordsProperty.WEEKENDS:
        ends = np.unique(day_T[inside_T & weekend_T])
        others = np.setdiff1d(days, ends)
        gone = rng.choice(others, min(len(ends), len(others) - 1), replace=False) if has else ends
        hidden = np.union1d(hidden, gone)
    found[inside_T & np.isin(day_T, hidden)] = np.nan
    return found
