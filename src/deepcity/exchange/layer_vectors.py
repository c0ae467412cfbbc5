"""Layers as one vector and back: tensors in order of their names."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from deepcity.city.level import Layers, Tensors


def flat(tensors: Tensors, like: Tensors, dtype: DTypeLike = np.float64) -> NDArray[Any]:
    """The values of those tensors that `like` has."""
    pieces = [np.asarray(tensors[name], dtype=dtype).ravel() for name in sorted(like)]
    return np.concatenate([np.zeros(0, dtype), *pieces])


def shaped(values_V: NDArray[Any], like: Tensors, dtype: DTypeLike | None = None) -> Tensors:
    """The tensors of a vector, in the shapes of `like`; and in its dtypes, unless one is given."""
    tensors: dict[str, NDArray[Any]] = {}
    start = 0
    for name in sorted(like):
        size, shape = like[name].size, like[name].shape
        one = values_V[start : start + size].reshape(shape)
        tensors[name] = one.astype(like[name].dtype if dtype is None else dtype)
        start += size
    return tensors


def flat_layers(layers: Layers, like: Layers, dtype: DTypeLike = np.float64) -> NDArray[Any]:
    """The values of those layers that `like` has, in order of their names."""
    pieces = [flat(layers[layer], like[layer], dtype) for layer in sorted(like)]
    return np.concatenate([np.zeros(0, dtype), *pieces])


def shaped_layers(
    values_V: NDArray[Any], like: Layers, dtype: DTypeLike | None = None
) -> dict[str, Tensors]:
    """The layers of a vector, in the shapes of `like`."""
    found: dict[str, Tensors] = {}
    start = 0
    for layer in sorted(like):
        size = sum(tensor.size for tensor in like[layer].values())
        found[layer] = shaped(values_V[start : start + size], like[layer], dtype)
        start += size
    return found
