"""Batch normalisation (Ioffe and Szegedy 2015) whose statistics can stay with their city.

Cameras of two cities differ in light and colour, so that means and variances of one are wrong for
the other. Private ones are kept outside of the layer, so that a layer's parameters, which may be
shared, do not hold them.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

_MOMENTUM = 0.1  # of the newest batch


class Statistics(nn.Module):
    """Running mean and variance of each channel."""

    mean: Tensor
    variance: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))


class Norm(nn.Module):
    """Normalised by the batch in training, else by the running statistics.

    Args of `Norm(...)`:
        private: whether the statistics are held, and saved, by someone else.
    """

    def __init__(self, channels: int, statistics: Statistics, *, private: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        if private:
            self._elsewhere = (statistics,)  # in a tuple, torch does not count it as a part
        else:
            self.statistics = statistics

    def forward(self, values: Tensor) -> Tensor:
        """(B, C, ...) -> the same shape."""
        found = self._elsewhere[0] if hasattr(self, "_elsewhere") else self.statistics
        return F.batch_norm(
            values,
            found.mean,
            found.variance,
            self.weight,
            self.bias,
            self.training,
            _MOMENTUM,
        )
