"""Gradients of one batch, as a coordinator sees them who receives an update of a single step.

That is the worst case: a round sends the sum of many steps.

Shapes: R rows of a batch, F features, H horizon steps, S linear features, W width of layers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from deepcity.city.level import HIDDEN_LAYERS, STEM
from deepcity.learning.features.inputs import Samples
from deepcity.learning.networks.network import Network
from deepcity.learning.training.local_training import loss

Gradients = Mapping[str, Tensor]
"""Parameter name -> gradient."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows of one step: features, linear features and scaled targets."""

    features_RF: Tensor
    linear_RHS: Tensor
    target_RH: Tensor

    def __len__(self) -> int:
        return len(self.features_RF)

    @staticmethod
    def of(samples: Samples, rows: int, seed: int) -> "Batch":
        """Random rows whose targets are all measured; as many as there are, at most `rows`."""
        target = samples.target_BNH.reshape(-1, samples.target_BNH.shape[-1])
        known = np.flatnonzero(np.isfinite(target).all(axis=1))
        chosen = np.random.default_rng(seed).permutation(known)[:rows]
        features = samples.features_BNF.reshape(len(target), -1)[chosen]
        linear = samples.linear_BNHS.reshape(len(target), *samples.linear_BNHS.shape[2:])[chosen]
        return Batch(
            torch.from_numpy(np.ascontiguousarray(features)),
            torch.from_numpy(np.ascontiguousarray(linear)),
            torch.from_numpy(target[chosen].astype(np.float32)),
        )


def shared_from(lowest: str) -> tuple[str, ...]:
    """Layers above and with the lowest shared one.

    >>> shared_from("h4")
    ('h4', 'h5', 'head')
    """
    layers = (STEM, *HIDDEN_LAYERS, "head")
    return layers[layers.index(lowest) :]


def entering(network: Network, batch: Batch, lowest: str) -> Tensor:
    """What enters the lowest shared layer, (R, F + H) for the stem, else (R, W)."""
    if lowest == STEM:
        ridge_RH = network.head.apply_ridge_skip(batch.linear_RHS)
        return torch.cat([batch.features_RF, ridge_RH], dim=1)
    below = (STEM, *HIDDEN_LAYERS)[HIDDEN_LAYERS.index(lowest)]
    with torch.no_grad():
        return network.activations(batch.features_RF, batch.linear_RHS, below)


def gradients(
    network: Network,
    entered_RD: Tensor,
    residual_RH: Tensor,
    lowest: str,
    mae_weight: float,
    *,
    graph: bool = False,
) -> Gradients:
    """Gradients of the shared layers, from what enters the lowest of them.

    Args:
        residual_RH: targets less the output of the ridge skip connection.
        graph: whether they can be differentiated further.
    """
    names = shared_from(lowest)
    hidden = entered_RD
    for name in names[:-1]:
        hidden = network.layer(name)(hidden)
    error = loss(network.head(hidden), residual_RH, mae_weight)
    parameters = {
        f"{name}.{key}": value
        for name in names
        for key, value in network.layer(name).named_parameters()
    }
    found = torch.autograd.grad(error, list(parameters.values()), create_graph=graph)
    return dict(zip(parameters, found, strict=True))


def residual(network: Network, batch: Batch) -> Tensor:
    """Targets less the output of the ridge skip connection, (R, H)."""
    with torch.no_grad():
        return batch.target_RH - network.head.apply_ridge_skip(batch.linear_RHS)
