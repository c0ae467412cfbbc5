"""The sum of gradients in which each unit counts with a bounded norm (Abadi et al. 2016).

All windows of a unit together have one gradient, and that is clipped: so replacing a unit's records
by any others moves the sum by twice the clipping norm at most.

Shapes: U units, M windows, F features, H horizon steps, S linear features, P parameters.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.func import functional_call, grad, vmap

from deepcity.learning.networks.network import Network
from deepcity.learning.training.local_training import loss

_UNDER = 1 - 1e-5  # single precision must not round a norm over its bound
_AT_ONCE = 256  # units: each holds a gradient of the whole network


def clipped_sum(
    network: Network,
    features_UMF: Tensor,
    linear_UMHS: Tensor,
    target_UMH: Tensor,
    *,
    clip: float,
    mae_weight: float,
) -> list[Tensor]:
    """The sum of all units' clipped gradients, as the network's trained parameters are shaped.

    Args:
        target_UMH: in scaled units; NaN counts nowhere.
    """
    named = {name: one.detach() for name, one in network.named_parameters() if one.requires_grad}

    def unit_loss(
        parameters: dict[str, Tensor], features: Tensor, linear: Tensor, target: Tensor
    ) -> Tensor:
        forecast: Tensor = functional_call(network, parameters, (features, linear))
        return loss(forecast, target, mae_weight)

    each = vmap(grad(unit_loss), in_dims=(None, 0, 0, 0))
    total = [torch.zeros_like(one, dtype=torch.float64) for one in named.values()]
    network.eval()  # a unit's gradient is that of its records, without dropout
    for start in range(0, len(features_UMF), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        found = each(named, features_UMF[part], linear_UMHS[part], target_UMH[part])
        torch._foreach_add_(total, _clipped(list(found.values()), clip))
    return total


def _clipped(gradients: Sequence[Tensor], clip: float) -> list[Tensor]:
    """Each unit's gradient with a norm of `clip` at most, summed; one that is not finite is 0."""
    norm_U = torch.stack([one.flatten(1).norm(dim=1) for one in gradients]).norm(dim=0)
    finite_U = torch.isfinite(norm_U)
    factor_U = torch.where(finite_U, (clip * _UNDER / norm_U).clamp(max=1.0), 0.0)
    summed = []
    for one in gradients:
        flat_UP = torch.where(finite_U[:, None], one.flatten(1), 0.0).double()
        summed.append((factor_U.double() @ flat_UP).reshape(one.shape[1:]))
    return summed
