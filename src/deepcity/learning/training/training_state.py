"""A network's training state: kept at its best, and as named arrays for checkpoints.

Current weights, the best weights, and the optimizer's moments of each.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from deepcity.learning.training.adamw import AdamW

Arrays = Mapping[str, NDArray[Any]]
_NOW, _BEST, _MOMENTS = "now/", "best/", "adam/"


def capture_state(
    network: nn.Module, optimizer: AdamW, best: Mapping[str, Tensor] | None
) -> dict[str, NDArray[Any]]:
    """All that changes in training; `best` is the best state, if there is one."""
    arrays = {_NOW + name: _array(value) for name, value in network.state_dict().items()}
    arrays |= {_BEST + name: _array(value) for name, value in (best or {}).items()}
    for number, moments in enumerate(optimizer.moments):
        for key, value in moments.items():
            arrays[f"{_MOMENTS}{number}/{key}"] = _array(value)
    return arrays


def restore_state(network: nn.Module, optimizer: AdamW, arrays: Arrays) -> dict[str, Tensor]:
    """Set network and optimizer to a captured state; returns the best state."""
    network.load_state_dict(_under(_NOW, arrays))
    for number in range(len(optimizer.moments)):
        optimizer.moments[number] = _under(f"{_MOMENTS}{number}/", arrays)
    return _under(_BEST, arrays)


def _under(prefix: str, arrays: Arrays) -> dict[str, Tensor]:
    return {
        key.removeprefix(prefix): torch.from_numpy(np.array(value))
        for key, value in arrays.items()
        if key.startswith(prefix)
    }


def _array(value: Tensor) -> NDArray[Any]:
    return np.array(value.detach().numpy())


class KeepsBest:
    """Base of learners with a network, its optimizer, and the best state seen so far."""

    network: nn.Module
    best: float
    _best_state: Mapping[str, Tensor]

    @cached_property
    def _optimizer(self) -> AdamW:
        """Made when it is first needed: a forecast needs none."""
        return self._new_optimizer()

    def _new_optimizer(self) -> AdamW:
        raise NotImplementedError

    def _keep(self, error: float) -> None:
        """Keep the present weights as the best state, of this error."""
        kept = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.best, self._best_state = error, kept

    def keep_best(self) -> None:
        """Return the network to the best state seen on the validation span."""
        self.network.load_state_dict(self._best_state)

    def state(self) -> Arrays:
        """All that changes in training, as named arrays; for checkpoints of this party alone."""
        arrays = capture_state(self.network, self._optimizer, self._best_state)
        return {**arrays, "best_error": np.array([self.best], np.float64)}

    def restore(self, arrays: Arrays) -> None:
        """Continue exactly where `state` was taken."""
        self._best_state = restore_state(self.network, self._optimizer, arrays)
        self.best = float(arrays["best_error"][0])
