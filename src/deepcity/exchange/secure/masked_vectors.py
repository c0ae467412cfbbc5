"""Layers under masks, as a site's answer brings them: checked, and as one vector."""

import numpy as np

from deepcity.city.errors import SecureSumError
from deepcity.city.level import Layers, Tensors
from deepcity.exchange.layer_vectors import flat_layers
from deepcity.privacy.secure_sums.fixed_point import Residues


def masked_vector(answered: Layers, like: Layers) -> Residues:
    """The masked vector of those layers that `like` has.

    Raises:
        SecureSumError: if names, types or shapes are not those of masked layers.
    """
    layers = {layer: answered.get(layer, {}) for layer in like}
    problems = [one for layer in like for one in _problems(layer, layers[layer], like[layer])]
    if problems:
        raise SecureSumError(f"its part of a secure sum is no masked vector: {problems[0]}")
    vector_V: Residues = flat_layers(layers, like, np.uint32)
    return vector_V


def _problems(layer: str, tensors: Tensors, like: Tensors) -> list[str]:
    if set(tensors) != set(like):
        return [f"{layer} has {len(tensors)} tensors, and not the {len(like)} that it should have"]
    return [
        f"{layer}/{name} is {tensors[name].dtype} {tensors[name].shape}, not uint32 {right.shape}"
        for name, right in like.items()
        if tensors[name].dtype != np.uint32 or tensors[name].shape != right.shape
    ]
