"""Reusable hidden layers: export, import and freeze any of them by name."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from deepcity.city.errors import LayerPackageError
from deepcity.city.level import LADDER, STEM, Layers, Tensors


def export_layers(network: nn.Module, names: Iterable[str]) -> Layers:
    """Copies of the named layers' parameters."""
    return {name: _tensors(network, name) for name in names}


def import_layers(network: nn.Module, layers: Layers) -> None:
    """Overwrite the given layers of a network in place; the others stay.

    Raises:
        LayerPackageError: if a layer is unknown, or a tensor is missing, superfluous, of
            another shape or not finite; nothing is changed then.
    """
    problems = [reason for name in layers for reason in _misfits(network, name, layers[name])]
    if problems:
        raise LayerPackageError("layers do not fit this network: " + "; ".join(problems))
    for name, tensors in layers.items():
        load_arrays(network.get_submodule(name), tensors)


def load_arrays(module: nn.Module, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Overwrite all tensors of a module by copies of arrays, by name."""
    module.load_state_dict({key: torch.from_numpy(np.array(one)) for key, one in arrays.items()})


def freeze(network: nn.Module, names: Iterable[str]) -> None:
    """Keep the named layers fixed in training; all others are trained."""
    frozen = set(names)
    for name in (STEM, *LADDER):
        network.get_submodule(name).requires_grad_(name not in frozen)


def _tensors(network: nn.Module, name: str) -> Tensors:
    state = network.get_submodule(name).state_dict()
    return {key: value.detach().numpy().copy() for key, value in state.items()}


def _misfits(network: nn.Module, name: str, tensors: Tensors) -> list[str]:
    if name not in (STEM, *LADDER):
        return [f"unknown layer {name!r} (known: {STEM}, {', '.join(LADDER)})"]
    own = _tensors(network, name)
    problems = [f"{name} lacks {key}" for key in own if key not in tensors]
    for key, value in tensors.items():
        if key not in own:
            problems.append(f"{name} has an extra tensor {key}")
        elif value.shape != own[key].shape:
            problems.append(f"{name}/{key} is {value.shape}, the network needs {own[key].shape}")
        elif not np.isfinite(value).all():
            problems.append(f"{name}/{key} holds NaN or infinity")
    return problems
