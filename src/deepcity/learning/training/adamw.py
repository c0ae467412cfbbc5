"""AdamW (Loshchilov and Hutter 2019) as `torch.optim.AdamW` steps it, to the bit.

Making a `torch.optim.Optimizer` loads torch's compiler, which takes each process that trains over a
second; and of a step of these small networks its groups, hooks and checks are a tenth. What
calculates is torch's functional AdamW.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.optim.adamw import adamw

_BETAS, _EPSILON = (0.9, 0.999), 1e-8
_STEP, _MEAN, _SQUARE = "step", "exp_avg", "exp_avg_sq"  # as torch names them, in checkpoints too
Moments = dict[str, Tensor]


class AdamW:
    """Parameters, and the moments of their gradients.

    Args of `AdamW(...)`:
        parameters: those without a gradient stay as they are.
        fused: by one kernel, which rounds otherwise than the other way.

    Attributes:
        rate: the learning rate of the next step.
        moments: of each parameter, in order; empty before its first step.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        *,
        rate: float = 1e-3,
        weight_decay: float = 1e-2,
        fused: bool = False,
    ) -> None:
        self.parameters = list(parameters)
        self.rate, self._decay, self._fused = rate, weight_decay, fused
        self.moments: list[Moments] = [{} for _ in self.parameters]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        """One step down the gradients."""
        moved = [number for number, one in enumerate(self.parameters) if one.grad is not None]
        if not moved:
            return
        for number in moved:
            if not self.moments[number]:
                self.moments[number] = _first_moments(self.parameters[number])
        known = [self.moments[number] for number in moved]
        with torch.no_grad():
            adamw(
                [self.parameters[number] for number in moved],
                [one.grad for one in self.parameters if one.grad is not None],
                [one[_MEAN] for one in known],
                [one[_SQUARE] for one in known],
                [],
                [one[_STEP] for one in known],
                foreach=not self._fused,
                fused=self._fused,
                amsgrad=False,
                beta1=_BETAS[0],
                beta2=_BETAS[1],
                lr=self.rate,
                weight_decay=self._decay,
                eps=_EPSILON,
                maximize=False,
            )


def _first_moments(parameter: Tensor) -> Moments:
    return {
        _STEP: torch.zeros((), dtype=torch.float32),
        _MEAN: torch.zeros_like(parameter, memory_format=torch.preserve_format),
        _SQUARE: torch.zeros_like(parameter, memory_format=torch.preserve_format),
    }


def clip_gradients(parameters: Sequence[Tensor], most: float) -> Tensor:
    """Scale all gradients down to a norm together; returns the norm they had.

    As `torch.nn.utils.clip_grad_norm_`, to the bit.
    """
    found = [one.grad for one in parameters if one.grad is not None]
    if not found:
        return torch.zeros(())
    norm: Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(found)))
    torch._foreach_mul_(found, (most / (norm + 1e-6)).clamp(max=1.0))
    return norm
