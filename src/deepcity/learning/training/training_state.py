"""A network's training state as named arrays, for checkpoints.

Current weights, the best weights, and the optimizer's moments of each.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Arrays = Mapping[str, NDArray[Any]]
_NOW, _BEST, _MOMENTS = "now/", "best/", "adam/"


def capture_state(
    network: nn.Module, optimizer: torch.optim.Optimizer, best: Mapping[str, Tensor] | None
) -> dict[str, NDArray[Any]]:
    """All that changes in training; `best` is the best state, if there is one."""
    arrays = {_NOW + name: _array(value) for name, value in network.state_dict().items()}
    arrays |= {_BEST + name: _array(value) for name, value in (best or {}).items()}
    for number, parameter in enumerate(network.parameters()):
        for key, value in optimizer.state.get(parameter, {}).items():
            arrays[f"{_MOMENTS}{number}/{key}"] = _array(value)
    return arrays


def restore_state(
    network: nn.Module, optimizer: torch.optim.Optimizer, arrays: Arrays
) -> dict[str, Tensor]:
    """Set network and optimizer to a captured state; returns the best state."""
    network.load_state_dict(_under(_NOW, arrays))
    optimizer.state.clear()
    for number, parameter in enumerate(network.parameters()):
        moments = _under(f"{_MOMENTS}{number}/", arrays)
        if moments:
            optimizer.state[parameter] = moments
    return _under(_BEST, arrays)


def _under(prefix: str, arrays: Arrays) -> dict[str, Tensor]:
    return {
        key.removeprefix(prefix): torch.from_numpy(np.array(value))
        for key, value in arrays.items()
        if key.startswith(prefix)
    }


def _array(value: Tensor) -> NDArray[Any]:
    return np.array(value.detach().numpy())
