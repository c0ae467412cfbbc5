"""One optimizer step from a loss, with a pull towards where the round began."""

from collections.abc import Sequence

import torch
from torch import Tensor

from deepcity.learning.training.adamw import AdamW, clip_gradients


def proximal_step(
    optimizer: AdamW, error: Tensor, reference: Sequence[Tensor], proximal: float, most_norm: float
) -> float:
    """Go one step down; returns the loss before it.

    A gradient that is not finite changes nothing: layers from elsewhere were too large to learn
    from.

    Args:
        reference: the weights to be pulled towards (FedProx, Li et al. 2020); empty: none.
        proximal: weight of that pull.
        most_norm: of all gradients together; longer ones are scaled down.
    """
    optimizer.zero_grad()
    error.backward()  # type: ignore[no-untyped-call]
    parameters = optimizer.parameters
    for parameter, start in zip(parameters, reference, strict=False):
        if parameter.grad is not None:
            parameter.grad.add_(parameter.detach() - start, alpha=proximal)
    if torch.isfinite(clip_gradients(parameters, most_norm)):
        optimizer.step()
    return float(error.detach())
