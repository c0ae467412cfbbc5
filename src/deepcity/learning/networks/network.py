"""A network is a stem, hidden layers h1..h5 and a head.

The stem alone knows how many inputs a party has; hidden layers have the same shapes for
every city, whatever its places, fields and graph, so any prefix h1..hk can be shared.
The hidden layers are residual MLP blocks with pre-normalisation (He et al. 2016; Xiong et
al. 2020); every block starts as the identity and the head at zero, so that an untrained
network forecasts the typical day.

Shapes: R rows (one place at one origin), F features, W width, H horizon, S linear features.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from deepcity.city.level import HEAD, HIDDEN_LAYERS, STEM

WIDTH = 64


@dataclass(frozen=True)
class Shape:
    """Sizes of a network; only `features` may differ between parties of a service."""

    features: int
    horizon: int
    linear_features: int = 0
    width: int = WIDTH
    recent: int = 0  # the first features, to which training may add noise


class Hidden(nn.Module):
    """One residual block, (R, W) -> (R, W)."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner = nn.Linear(width, width)
        self.outer = nn.Linear(width, width)
        self.dropout = dropout
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def forward(self, hidden_RW: Tensor) -> Tensor:
        """Add what this block has learned to its input."""
        update_RW = self.outer(F.gelu(self.inner(self.norm(hidden_RW)), approximate="tanh"))
        return hidden_RW + F.dropout(update_RW, self.dropout, self.training)


class Head(nn.Module):
    """Hidden state -> one value per horizon step, (R, W) -> (R, H); and the ridge skip connection.

    `ridge_skip` is fitted in closed form (`deepcity.learning.features.ridge_skip`) and fused
    with the head; it gets no gradients. Nor does `residual_ratio`, the share of a place's
    spread that its typical day leaves unexplained: the network does not use it, but a
    newcomer's scale is shrunk towards it.
    """

    ridge_skip: Tensor
    residual_ratio: Tensor

    def __init__(self, width: int, horizon: int, linear_features: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, horizon)
        self.register_buffer("ridge_skip", torch.zeros(horizon, linear_features))
        self.register_buffer("residual_ratio", torch.ones(1))
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, hidden_RW: Tensor) -> Tensor:
        """The part trained by gradients, (R, H), in scaled units."""
        learned_RH: Tensor = self.out(self.norm(hidden_RW))
        return learned_RH

    def apply_ridge_skip(self, linear_RHS: Tensor) -> Tensor:
        """Expected deviation from the typical day, (R, H, S) -> (R, H), in scaled units."""
        return (linear_RHS * self.ridge_skip).sum(dim=-1)


class Network(nn.Module):
    """Stem, h1..h5 and head, each found by its name in the ladder."""

    def __init__(
        self, shape: Shape, *, dropout: float = 0.1, input_dropout: float = 0.0, noise: float = 0.0
    ) -> None:
        super().__init__()
        self.shape = shape
        self.input_dropout = input_dropout
        self.noise = noise
        self.stem = nn.Linear(shape.features + shape.horizon, shape.width)
        for name in HIDDEN_LAYERS:
            self.add_module(name, Hidden(shape.width, dropout))
        self.head = Head(shape.width, shape.horizon, shape.linear_features)

    def layer(self, name: str) -> nn.Module:
        """The stem, a hidden layer or the head, by name."""
        return self.get_submodule(name)

    def forward(self, features_RF: Tensor, linear_RHS: Tensor) -> Tensor:
        """(R, F) and (R, H, S) -> (R, H), in scaled units relative to the typical day."""
        augmented_RF = self.augment(features_RF)
        hidden_RW = self.activations(augmented_RF, linear_RHS, HIDDEN_LAYERS[-1])
        forecast_RH: Tensor = self.head(hidden_RW) + self.head.apply_ridge_skip(linear_RHS)
        return forecast_RH

    def augment(self, features_RF: Tensor) -> Tensor:
        """Features with noise on recent ones and input dropout, in training."""
        if self.training and self.noise:
            recent = features_RF[:, : self.shape.recent]
            noisy = recent + self.noise * torch.randn_like(recent)
            features_RF = torch.cat([noisy, features_RF[:, self.shape.recent :]], dim=1)
        return F.dropout(features_RF, self.input_dropout, self.training)

    def activations(self, features_RF: Tensor, linear_RHS: Tensor, name: str) -> Tensor:
        """Activations of the named layer, (R, W).

        The inputs of the stem include the output of the ridge skip connection.

        Raises:
            ValueError: if no stem or hidden layer has that name.
        """
        inputs = torch.cat([features_RF, self.head.apply_ridge_skip(linear_RHS)], dim=1)
        hidden_RW: Tensor = self.stem(inputs)
        if name == STEM:
            return hidden_RW
        for hidden_name in HIDDEN_LAYERS:
            hidden_RW = self.layer(hidden_name)(hidden_RW)
            if hidden_name == name:
                return hidden_RW
        raise ValueError(
            f"no hidden layer {name!r}; there are {STEM}, {', '.join(HIDDEN_LAYERS)} (and {HEAD})"
        )


def new_network(shape: Shape, seed: int, **dropouts: float) -> Network:
    """A network whose h1..h5 and head depend on the seed and common sizes alone.

    Two parties with the same seed start from the same common layers even if their stems
    differ in size, which federated averaging needs.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        common = Network(replace(shape, features=1, recent=0), **dropouts)
        torch.default_generator.manual_seed(seed + 1)
        network = Network(shape, **dropouts)
    for name in (*HIDDEN_LAYERS, HEAD):
        network.layer(name).load_state_dict(common.layer(name).state_dict())
    return network
