"""A network from a picture of a person to an embedding, on the ladder of every network here.

Stem, h1..h5 and head can be shared up to any level, as in forecasting: the head makes the
embedding, so that level 6 with a common stem is all but classifiers (FedPav, Zhuang et al. 2020,
"Performance optimization for federated person re-identification via benchmark analysis", ACM MM).
The classifier tells a city's own people apart in training; it is not on the ladder, so no level
shares it.

Hidden layers are residual blocks (He et al. 2016) whose last normalisation starts at zero: each
begins as its shortcut. The embedding is normalised by batch before it is classified (BNNeck, Luo
et al. 2019).

Height and width of pictures are multiples of 16, so that shortcuts and convolutions halve them
alike.

Shapes: B pictures, H rows, W columns; C channels; V numbers of a vector; E of an embedding; P
people of a city.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from deepcity.city.level import HIDDEN_LAYERS
from deepcity.learning.identity.normalisation import Norm, Statistics
from deepcity.learning.networks.network import Hidden

CHANNELS = (24, 24, 48, 48, 96, 96)
"""Of the stem and h1..h5; where they double, height and width are halved."""


@dataclass(frozen=True)
class IdentitySizes:
    """Sizes of a network; only `people` may differ between cities.

    Attributes:
        people: that the classifier tells apart.
        embedding: numbers of an embedding.
        channels: of stem and h1..h5 of a network of pictures.
        vector: numbers of a vector by another network that stands for a picture; 0 for pictures.
        own_statistics: whether batch normalisation's means and variances stay private, and only
            its scale and shift are shared (SiloBN, Andreux et al. 2020).
    """

    people: int
    embedding: int = 128
    channels: tuple[int, ...] = CHANNELS
    vector: int = 0
    own_statistics: bool = False


class Block(nn.Module):
    """Two convolutions beside a shortcut, (B, C, H, W) -> (B, C', H', W')."""

    def __init__(self, inner: int, outer: int, norms: tuple[Norm, Norm]) -> None:
        super().__init__()
        stride = 1 if inner == outer else 2
        self.first = nn.Conv2d(inner, outer, 3, stride, padding=1, bias=False)
        self.second = nn.Conv2d(outer, outer, 3, padding=1, bias=False)
        self.norm, self.last_norm = norms
        self.shortcut = nn.Conv2d(inner, outer, 1, bias=False) if stride == 2 else nn.Identity()
        self.stride = stride
        nn.init.zeros_(self.last_norm.weight)

    def forward(self, hidden: Tensor) -> Tensor:
        """Add what this block has learned to its input, made smaller where it must be."""
        update = self.last_norm(self.second(F.relu(self.norm(self.first(hidden)))))
        if self.stride == 2:
            hidden = F.avg_pool2d(hidden, 2)
        return F.relu(self.shortcut(hidden) + update)


class Stem(nn.Module):
    """The first convolution, (B, 3, H, W) -> (B, C, H/2, W/2)."""

    def __init__(self, channels: int, norm: Norm) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, channels, 3, 2, padding=1, bias=False)
        self.norm = norm

    def forward(self, pictures: Tensor) -> Tensor:
        """Edges and colours."""
        return F.relu(self.norm(self.conv(pictures)))


class EmbeddingHead(nn.Module):
    """The embedding of a picture's last hidden layer, (B, C, H, W) or (B, C) -> (B, E)."""

    def __init__(self, channels: int, size: int, norm: Norm) -> None:
        super().__init__()
        self.out = nn.Linear(channels, size, bias=False)
        self.norm = norm

    def forward(self, hidden: Tensor) -> Tensor:
        """Mean and greatest value over places, then E numbers normalised by batch."""
        if hidden.ndim == 4:
            hidden = hidden.mean(dim=(2, 3)) + hidden.amax(dim=(2, 3))
        embedding: Tensor = self.norm(self.out(hidden))
        return embedding


class IdentityNetwork(nn.Module):
    """Stem, h1..h5, head and classifier; statistics of the batch where these are private."""

    def __init__(self, sizes: IdentitySizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.statistics = nn.ModuleDict()
        if sizes.vector:
            width = sizes.embedding
            self.stem: nn.Module = nn.Linear(sizes.vector, width)
            for name in HIDDEN_LAYERS:
                self.add_module(name, Hidden(width, dropout=0.1))
        else:
            width = sizes.channels[-1]
            self.stem = Stem(sizes.channels[0], self._norm("stem", sizes.channels[0]))
            pairs = zip(sizes.channels, sizes.channels[1:], strict=False)
            for name, (inner, outer) in zip(HIDDEN_LAYERS, pairs, strict=True):
                norms = (self._norm(name, outer), self._norm(f"{name}_last", outer))
                self.add_module(name, Block(inner, outer, norms))
        self.head = EmbeddingHead(width, sizes.embedding, self._norm("head", sizes.embedding))
        self.classifier = nn.Linear(sizes.embedding, sizes.people, bias=False)
        nn.init.normal_(self.classifier.weight, std=0.01)

    def forward(self, inputs: Tensor) -> Tensor:
        """Scores of the city's own people, (B, 3, H, W) or (B, V) -> (B, P)."""
        scores_BP: Tensor = self.classifier(self.embed(inputs))
        return scores_BP

    def embed(self, inputs: Tensor) -> Tensor:
        """Embeddings, (B, 3, H, W) or (B, V) -> (B, E); not of unit length."""
        hidden = self.stem(inputs)
        for name in HIDDEN_LAYERS:
            hidden = self.get_submodule(name)(hidden)
        embedding_BE: Tensor = self.head(hidden)
        return embedding_BE

    def _norm(self, name: str, channels: int) -> Norm:
        statistics = Statistics(channels)
        if not self.sizes.own_statistics:
            return Norm(channels, statistics)
        self.statistics[name] = statistics
        return Norm(channels, statistics, private=True)


def new_identity_network(sizes: IdentitySizes, seed: int) -> IdentityNetwork:
    """A network whose layers, all but the classifier, depend on the seed and common sizes alone."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return IdentityNetwork(sizes)  # the classifier is made last
