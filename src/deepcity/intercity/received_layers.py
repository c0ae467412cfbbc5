"""Layers from outside that a party may start from: bounded by its own before anything is made of
them.

Forecasts of joined experts are bounded anyway (ADR 16), but an expert whose forecasts are not
finite forecasts as the party alone does, and the weights of a level that it stands for say nothing.
"""

import numpy as np

from deepcity.city.level import Layers

MOST_NORM = 1000.0
"""Root mean square of a tensor, over that of the party's own or 1, whichever is greater."""


def unusable(layers: Layers, own: Layers) -> str:
    """Why layers cannot be started from; empty where they can.

    Args:
        own: layers of the party's own network, by which they are measured; a tensor that it has
            not, or in another shape, counts as one of norm 1.
    """
    for name, tensors in layers.items():
        for key, values in tensors.items():
            if not np.isfinite(values).all():
                return f"{name}.{key} holds values that are not finite"
            norm, limit = _norm(values), MOST_NORM * max(1.0, _norm(own.get(name, {}).get(key)))
            if norm > limit:
                return f"{name}.{key} has a mean norm of {norm:.3g}; at most {limit:.3g} is taken"
    return ""


def _norm(values: object) -> float:
    """Root of the mean square; 0 where there is nothing."""
    if values is None or np.size(values) == 0:  # type: ignore[arg-type]
        return 0.0
    values_64 = np.abs(np.asarray(values, np.float64))
    most = float(values_64.max())
    return most * float(np.sqrt(np.mean((values_64 / most) ** 2))) if most else 0.0
