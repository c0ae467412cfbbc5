"""Training origins, also of records shorter than one window: unknown steps count as missing.

On its first day a party has no history, and its last targets lie beyond the training span. It
can train all the same: steps before its first count as missing, and targets beyond the span
are masked, so nothing of later spans leaks. A record with whole windows uses these alone.

Shapes: B origins.
"""

import numpy as np

from deepcity.city.arrays import Ints
from deepcity.data.windows import Span, origins


def whole_windows(train: Span, history: int, horizon: int, lead: int = 0) -> Ints:
    """Origins whose history and targets all lie inside the span, (B,).

    Args:
        lead: blocks of `horizon` steps between an origin and its first target.
    """
    found = origins(train, horizon, lead=lead * horizon)
    return found[found >= train.start + history]


def partial_windows(train: Span, horizon: int, lead: int = 0) -> Ints:
    """Origins in the span with at least one target in it, (B,)."""
    return np.arange(train.start, train.end - lead * horizon, dtype=np.int64)


def eval_origins(validation: Span, horizon: int, lead: int = 0, *, partly: bool = False) -> Ints:
    """Origins whose targets all lie inside the span, (B,).

    Args:
        partly: where there is none, take those whose first target lies inside.
    """
    found = origins(validation, horizon, lead=lead * horizon)
    if len(found) or not partly:
        return found
    steps = np.arange(validation.start, validation.end, dtype=np.int64)
    return np.asarray(steps - lead * horizon)
