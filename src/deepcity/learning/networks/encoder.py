"""An agency's encoder: its private stem, hidden layers h1..hc, and a bottleneck.

The activations of the bottleneck are the agency's *deep data*: a few numbers between -1 and
1 for a cell and a time. The width of the bottleneck bounds what can leave (Tishby & Zaslavsky 2015
call the trade an information bottleneck); actual leakage is measured, not assumed.
Hidden layers have the shapes they have in every other network here, so an encoder's h1..hc
can be reused in another service or city.

Shapes: R rows (a cell at an origin), X inputs, W width of hidden layers, D width of deep data.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from deepcity.city.level import HIDDEN_LAYERS, STEM, Layers
from deepcity.learning.networks.network import WIDTH, Hidden

BOTTLENECK = "bottleneck"


@dataclass(frozen=True)
class EncoderShape:
    """Sizes of an encoder.

    Attributes:
        inputs: X, private to the agency.
        level: the cut level c, 1..5: h1..hc run at the agency.
        width: D, numbers sent for a cell and a time.
        pretext_outputs: targets of the self-supervised pretext head; 0 for none.
    """

    inputs: int
    level: int
    width: int
    pretext_outputs: int = 0


class Encoder(nn.Module):
    """(R, X) -> (R, D), each between -1 and 1.

    Raises:
        ValueError: if the level is outside 1..5 or a width is below 1.
    """

    def __init__(self, shape: EncoderShape, dropout: float = 0.1) -> None:
        super().__init__()
        if not 1 <= shape.level <= len(HIDDEN_LAYERS) or min(shape.width, shape.inputs) < 1:
            raise ValueError(
                f"{shape}: the cut level must be in 1..{len(HIDDEN_LAYERS)}, widths 1 or more"
            )
        self.shape = shape
        self.stem = nn.Linear(shape.inputs, WIDTH)
        for name in self.hidden_layers:
            self.add_module(name, Hidden(WIDTH, dropout))
        self.bottleneck = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, shape.width))
        self.pretext_head = (
            nn.Linear(shape.width, shape.pretext_outputs)
            if shape.pretext_outputs
            else nn.Identity()
        )

    @property
    def hidden_layers(self) -> tuple[str, ...]:
        """h1..hc."""
        return HIDDEN_LAYERS[: self.shape.level]

    @property
    def layers(self) -> tuple[str, ...]:
        """All layers by name, from the inputs up."""
        return (STEM, *self.hidden_layers, BOTTLENECK)

    def forward(self, rows_RX: Tensor) -> Tensor:
        """Deep data, (R, D)."""
        hidden_RW: Tensor = self.stem(rows_RX)
        for name in self.hidden_layers:
            hidden_RW = self.get_submodule(name)(hidden_RW)
        return torch.tanh(self.bottleneck(hidden_RW))


def new_encoder(shape: EncoderShape, seed: int, dropout: float = 0.1) -> Encoder:
    """An encoder initialised from the seed; h1..hc depend on the seed alone.

    Agencies of several cities begin with equal hidden layers, which federated averaging needs.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed + 1)
        encoder = Encoder(shape, dropout)
    for name, layer in _first_hidden(shape.level, seed, dropout).items():
        encoder.get_submodule(name).load_state_dict(layer.state_dict())
    return encoder


def first_layers(level: int, seed: int) -> Layers:
    """h1..h`level` as every encoder of that seed is initialised."""
    return {
        name: {key: value.numpy() for key, value in layer.state_dict().items()}
        for name, layer in _first_hidden(level, seed, dropout=0.0).items()
    }


def _first_hidden(level: int, seed: int, dropout: float) -> dict[str, Hidden]:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return {name: Hidden(WIDTH, dropout) for name in HIDDEN_LAYERS[:level]}
