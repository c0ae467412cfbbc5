"""An application's network: agencies' deep data are fused at the cut, and layers above forecast.

At the cut level c each agency's deep data for a place and a time are mapped to the width of
the hidden layers and summed; h(c+1)..h5 and the head continue from the sum (split learning
over vertically partitioned data: Vepakomma et al. 2018; Ceballos et al. 2020). Where the
application belongs to the agency that holds the labels, that agency's own network runs below
the cut, and its activations are the first summand. Agency adapters start at zero, so that the
network starts as if no other agency took part. In training agencies are dropped at random, so
that it forecasts with any of them missing.

Shapes: R rows (one place at one origin), F features, S linear features, H horizon, D deep
width, W hidden width.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from deepcity.city.level import HIDDEN_LAYERS
from deepcity.learning.networks.network import Network, Shape, new_network

MaskedActivations = tuple[Tensor, Tensor]
"""One agency's deep data (R, D), and a mask (R, 1): 1 where it sent any, else 0."""


@dataclass(frozen=True)
class Cut:
    """Where the activations of agencies are fused.

    Attributes:
        level: the cut level c, 1..5.
        widths: agency -> width of its deep data.
        agency_dropout: probability, in training, that a row lacks an agency.

    Raises:
        ValueError: if the level, a width or the probability is out of range.
    """

    level: int
    widths: Mapping[str, int]
    agency_dropout: float = 0.2

    def __post_init__(self) -> None:
        levels = range(1, len(HIDDEN_LAYERS) + 1)
        widths = all(width >= 1 for width in self.widths.values())
        if self.level not in levels or not widths or not 0 <= self.agency_dropout < 1:
            raise ValueError(
                f"{self}: level in 1..{levels[-1]}, widths 1 or more, agency_dropout in [0, 1)"
            )


class AgencyAdapter(nn.Module):
    """Maps one agency's deep data to the hidden width: (R, D) -> (R, W)."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.out = nn.Linear(inputs, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, activations: MaskedActivations) -> Tensor:
        """(R, W); zero where the agency is missing."""
        activations_RD, present_R1 = activations
        adapted_RW: Tensor = self.out(activations_RD) * present_R1
        return adapted_RW


class FusedNetwork(nn.Module):
    """Agency adapters at the cut, hidden layers above it and a head; own layers below it, if any.

    Attributes:
        trunk: an ordinary network; without own rows its stem and h1..hc are never run.
        own: whether the application's own rows run below the cut.
    """

    def __init__(self, trunk: Network, cut: Cut, *, own: bool = True) -> None:
        super().__init__()
        self.trunk, self.cut, self.own = trunk, cut, own
        self.names = tuple(sorted(cut.widths))
        width = trunk.shape.width
        self.adapters = nn.ModuleList(
            [AgencyAdapter(cut.widths[name], width) for name in self.names]
        )
        if not own:  # with every adapter at zero none would get a gradient
            for adapter in self.adapters:
                nn.init.normal_(adapter.get_submodule("out").weight, std=width**-0.5)  # type: ignore[arg-type]

    def forward(
        self, features_RF: Tensor, linear_RHS: Tensor, activations: Mapping[str, MaskedActivations]
    ) -> Tensor:
        """(R, H), in scaled units relative to the typical day; an agency not given is missing."""
        hidden_RW = self._own_state(features_RF, linear_RHS)
        for name, adapter in zip(self.names, self.adapters, strict=True):
            if name in activations:
                hidden_RW = hidden_RW + adapter(self._with_dropout(activations[name]))
        for name in HIDDEN_LAYERS[self.cut.level :]:
            hidden_RW = self.trunk.layer(name)(hidden_RW)
        forecast_RH: Tensor = self.trunk.head(hidden_RW)
        return forecast_RH + self.trunk.head.apply_ridge_skip(linear_RHS)

    def _own_state(self, features_RF: Tensor, linear_RHS: Tensor) -> Tensor:
        if not self.own:
            return features_RF.new_zeros(len(features_RF), self.trunk.shape.width)
        cut = HIDDEN_LAYERS[self.cut.level - 1]
        return self.trunk.activations(self.trunk.augment(features_RF), linear_RHS, cut)

    def _with_dropout(self, activations: MaskedActivations) -> MaskedActivations:
        activations_RD, present_R1 = activations
        if not (self.training and self.cut.agency_dropout):
            return activations
        return activations_RD, present_R1 * (torch.rand_like(present_R1) >= self.cut.agency_dropout)


def new_fused(
    shape: Shape, cut: Cut, seed: int, *, own: bool = True, **dropouts: float
) -> FusedNetwork:
    """A fused network whose trunk is initialised as `new_network` of the same seed."""
    trunk = new_network(shape, seed, **dropouts)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed + 2)
        return FusedNetwork(trunk, cut, own=own)
