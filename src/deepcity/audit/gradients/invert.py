"""What entered the lowest shared layer, from the gradients of one batch.

Analytic: the gradient of a linear layer is the sum over rows of (error of its output) x (its
input), that of its bias the sum of the errors: of one row their ratio is the input (Phong et al.
2018; Geiping et al. 2020). Gradient matching: inputs and targets whose gradients are those
received (Zhu et al. 2019), by cosine distance (Geiping et al. 2020).

Shapes: R rows of a batch, D numbers that enter, H horizon steps.
"""

import torch
from torch import Tensor

from deepcity.audit.gradients.updates import Gradients, gradients
from deepcity.city.level import STEM
from deepcity.learning.networks.network import Network

_RATE = 0.05


def analytic(found: Gradients, lowest: str) -> Tensor:
    """The one input that explains the gradients of the first linear layer best, (D,).

    Exact for a batch of one row. Of a hidden layer it is the input after its normalisation.
    """
    linear = lowest if lowest == STEM else f"{lowest}.inner"
    weight, bias = found[f"{linear}.weight"], found[f"{linear}.bias"]
    return (bias @ weight) / bias.square().sum().clamp(min=1e-20)


def match(
    network: Network,
    found: Gradients,
    start_RD: Tensor,
    targets: int,
    lowest: str,
    mae_weight: float,
    steps: int,
) -> Tensor:
    """Inputs whose gradients are most like those received, (R, D).

    Args:
        start_RD: where the search begins; rows like those of other places.
        targets: horizon steps; targets are sought too.
    """
    entered = start_RD.clone().requires_grad_()
    residual = torch.zeros(len(start_RD), targets, requires_grad=True)
    optimizer = torch.optim.Adam([entered, residual], lr=_RATE)
    best, kept = float("inf"), start_RD
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = _RATE * (1 - step / steps)
        mine = gradients(network, entered, residual, lowest, mae_weight, graph=True)
        distance = _distance(mine, found)
        if (now := float(distance.detach())) < best:
            best, kept = now, entered.detach().clone()
        optimizer.zero_grad(set_to_none=True)
        distance.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return kept


def _distance(mine: Gradients, theirs: Gradients) -> Tensor:
    """Cosine distance, layer by layer, and how their lengths differ."""
    parts = []
    for name, wanted in theirs.items():
        one, other = mine[name].flatten(), wanted.flatten()
        size = other.norm().clamp(min=1e-12)
        parts.append(1 - (one @ other) / (one.norm().clamp(min=1e-12) * size))
        parts.append(0.1 * ((one - other) / size).square().sum())
    return torch.stack(parts).mean()
