"""An application's network: what each agency says meets at the cut, and it goes on from there.

At the cut level c the agencies meet: what each says for a place and a time is mapped to the
width of the hidden layers and summed, and h(c+1)..h5 and the head go on from the sum (split
learning over vertically held data: Vepakomma et al. 2018; Ceballos et al. 2020). Where the
application belongs to the agency that holds the labels, that agency's own network runs below
the cut and its state is the first summand. Inlets begin at zero, so the network begins as if
nobody else spoke. In training each agency is at times left out, as it will be when it falls
silent.

Shapes: R rows (one place at one origin), F features, S summaries, H horizon, D deep width,
W hidden width.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from deepcity.city.level import HIDDEN_LAYERS
from deepcity.learning.network import Network, Shape, new_network

Heard = tuple[Tensor, Tensor]
"""One agency's deep data (R, D), and 1 where it spoke, else 0 (R, 1)."""


@dataclass(frozen=True)
class Cut:
    """Where agencies meet.

    Attributes:
        level: the cut level c, 1..5.
        deep: agency -> width of its deep data.
        silence: in training, the share of rows in which an agency is left out.

    Raises:
        ValueError: if the level, a width or the share is none.
    """

    level: int
    deep: Mapping[str, int]
    silence: float = 0.2

    def __post_init__(self) -> None:
        levels = range(1, len(HIDDEN_LAYERS) + 1)
        widths = all(width >= 1 for width in self.deep.values())
        if self.level not in levels or not widths or not 0 <= self.silence < 1:
            msg = f"{self}: level in 1..{levels[-1]}, widths 1 or more, silence in [0, 1)"
            raise ValueError(msg)


class Inlet(nn.Module):
    """What one agency says, as the hidden layers hold it: (R, D) -> (R, W)."""

    def __init__(self, deep: int, width: int) -> None:
        super().__init__()
        self.out = nn.Linear(deep, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, heard: Heard) -> Tensor:
        """Zero where the agency is silent."""
        deep_RD, spoke_R1 = heard
        told_RW: Tensor = self.out(deep_RD) * spoke_R1
        return told_RW


class FusedNetwork(nn.Module):
    """Inlets at the cut, the hidden layers above it and the head; below it the own rows, if any.

    Attributes:
        trunk: a network of the house; without own rows its stem and h1..hc are never run.
        own: whether rows of its own run below the cut.
    """

    def __init__(self, trunk: Network, cut: Cut, *, own: bool = True) -> None:
        super().__init__()
        self.trunk, self.cut, self.own = trunk, cut, own
        self.names = tuple(sorted(cut.deep))
        width = trunk.shape.width
        self.inlets = nn.ModuleList([Inlet(cut.deep[name], width) for name in self.names])
        if not own:  # a sum of inlets that are all zero would never move
            for inlet in self.inlets:
                nn.init.normal_(inlet.get_submodule("out").weight, std=width**-0.5)  # type: ignore[arg-type]

    def forward(
        self, features_RF: Tensor, summaries_RHS: Tensor, heard: Mapping[str, Heard]
    ) -> Tensor:
        """(R, H), in scaled units relative to the typical day; agencies not heard are silent."""
        hidden_RW = self._own_state(features_RF, summaries_RHS)
        for name, inlet in zip(self.names, self.inlets, strict=True):
            if name in heard:
                hidden_RW = hidden_RW + inlet(self._at_times_silent(heard[name]))
        for name in HIDDEN_LAYERS[self.cut.level :]:
            hidden_RW = self.trunk.layer(name)(hidden_RW)
        forecast_RH: Tensor = self.trunk.head(hidden_RW)
        return forecast_RH + self.trunk.head.recalled(summaries_RHS)

    def _own_state(self, features_RF: Tensor, summaries_RHS: Tensor) -> Tensor:
        if not self.own:
            return features_RF.new_zeros(len(features_RF), self.trunk.shape.width)
        cut = HIDDEN_LAYERS[self.cut.level - 1]
        return self.trunk.activations(self.trunk.blurred(features_RF), summaries_RHS, cut)

    def _at_times_silent(self, heard: Heard) -> Heard:
        deep_RD, spoke_R1 = heard
        if not (self.training and self.cut.silence):
            return heard
        return deep_RD, spoke_R1 * (torch.rand_like(spoke_R1) >= self.cut.silence)


def new_fused(
    shape: Shape, cut: Cut, seed: int, *, own: bool = True, **dropouts: float
) -> FusedNetwork:
    """A fused network whose trunk begins as the network that the same seed would learn alone."""
    trunk = new_network(shape, seed, **dropouts)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed + 2)
        return FusedNetwork(trunk, cut, own=own)
