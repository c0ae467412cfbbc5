"""Origins of a record shorter than one window: what is not known of it counts as missing.

On its first day a party knows no day before, and its last targets lie beyond what it may
learn from. It need not wait: steps before its first are looked back on as missing ones are,
and targets beyond the span are hidden, so nothing of later spans is told. A record that
holds whole windows is learned from by these alone.

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


def learned_in_part(train: Span, horizon: int, lead: int = 0) -> Ints:
    """Origins in the span that have one target in it, or more, (B,)."""
    return np.arange(train.start, train.end - lead * horizon, dtype=np.int64)


def judged(validation: Span, horizon: int, lead: int = 0, *, partly: bool = False) -> Ints:
    """Origins whose targets all lie inside the span, (B,).

    Args:
        partly: where there is none, those whose first target does will do.
    """
    found = origins(validation, horizon, lead=lead * horizon)
    if len(found) or not partly:
        return found
    steps = np.arange(validation.start, validation.end, dtype=np.int64)
    return np.asarray(steps - lead * horizon)
