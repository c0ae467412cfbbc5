"""Layers from elsewhere in place of a learner's own: kept if they can be used, or only tried.

Frozen layers stay the learner's own, even where others send them rounded.
"""

import math
from collections.abc import Callable, Collection

from torch import nn

from deepcity.city.level import Layers
from deepcity.learning.networks.reuse import export_layers, import_layers

Evaluate = Callable[[], float]
"""The validation error of the network as it is; infinite where it cannot be used."""


def import_usable(
    network: nn.Module, layers: Layers, frozen: Collection[str], evaluate: Evaluate
) -> float:
    """Import layers and validate; those with an infinite error are taken back.

    Raises:
        LayerPackageError: if the layers do not fit; nothing is changed then.
    """
    received = {name: part for name, part in layers.items() if name not in frozen}
    own = export_layers(network, received)
    import_layers(network, received)
    error = evaluate()
    if math.isinf(error):
        import_layers(network, own)
        error = evaluate()
    return error


def error_with(
    network: nn.Module, layers: Layers, frozen: Collection[str], evaluate: Evaluate
) -> float:
    """Validation error with these layers in place of its own; nothing of it changes.

    Raises:
        LayerPackageError: if the layers do not fit.
    """
    received = {name: part for name, part in layers.items() if name not in frozen}
    own = export_layers(network, received)
    import_layers(network, received)
    try:
        return evaluate()
    finally:
        import_layers(network, own)
