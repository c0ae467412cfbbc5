"""A city's learner of who is on a picture: trained in rounds on its own people.

It answers rounds as a forecaster's learner does (`deepcity.exchange.party.RoundLearner`), so that
strategies, levels and messages are the same. Its validation error is 1 less the mean average
precision over people of its own whom it does not train on.

Loss: cross entropy of its own people, softened (label smoothing, Szegedy et al. 2016).

Shapes: I pictures, B pictures of a batch, H rows, W columns, V numbers of a vector that stands for
a picture, E numbers of an embedding.
"""

import copy
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from deepcity.city.arrays import Floats, Ints
from deepcity.city.level import Layers
from deepcity.learning.identity.augment import augmented, scaled
from deepcity.learning.identity.network import IdentityNetwork, IdentitySizes, new_identity_network
from deepcity.learning.identity.people import Bytes, IdentityData, People
from deepcity.learning.identity.retrieval import Sightings, find, one_query_each
from deepcity.learning.networks.reuse import export_layers, freeze
from deepcity.learning.training.adamw import AdamW
from deepcity.learning.training.local_training import one_cycle, party_seed
from deepcity.learning.training.proximal_step import proximal_step
from deepcity.learning.training.received_layers import error_with, import_usable
from deepcity.learning.training.training_state import KeepsBest

_CHUNK = 256  # pictures embedded at once
_REFIT_RATE = 0.3  # of the peak, in fine-tuning


@dataclass(frozen=True)
class IdentitySettings:
    """Training hyperparameters, the same for all cities.

    Attributes:
        rounds: of federated training; in each, a city sees each of its pictures once.
        batch_size: pictures a step.
        learning_rate: its peak, of one cycle.
        smoothing: share of the target that is spread over all people.
        refit_rounds: rounds of fine-tuning for each reuse level tried.
    """

    rounds: int = 24
    batch_size: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    smoothing: float = 0.1
    refit_rounds: int = 3


class IdentityLearner(KeepsBest):
    """Trains one city's network in rounds.

    Args of `IdentityLearner(...)`:
        sizes: of its network; `people` is counted from the data.
    """

    def __init__(
        self,
        data: IdentityData,
        settings: IdentitySettings,
        seed: int,
        sizes: IdentitySizes | None = None,
    ) -> None:
        self.data, self.settings, self.seed = data, settings, seed
        names, label_I = np.unique(data.train.person_I, return_inverse=True)
        self._label_I = torch.from_numpy(label_I.astype(np.int64))
        sizes = replace(sizes or IdentitySizes(people=1), people=len(names))
        self.network: IdentityNetwork = new_identity_network(sizes, seed)
        self.frozen: frozenset[str] = frozenset()
        self._keep(self.evaluate())

    @property
    def party(self) -> str:
        """Its name."""
        return self.data.party

    @property
    def rows(self) -> int:
        """Pictures it trains on: its weight in an average."""
        return len(self._label_I)

    @property
    def inputs(self) -> int:
        """Numbers of one input."""
        return int(self.data.train.input_I[0].size)

    @property
    def steps(self) -> int:
        """Optimizer steps of a round."""
        return max(1, round(self.rows / self.settings.batch_size))

    def evaluate(self) -> float:
        """1 less the mean average precision over its validation people; 1 without any."""
        return self.error_on(self.data.validation)

    def error_on(self, shown: People) -> float:
        """1 less the mean average precision over these people; 1 where none can be found again.

        Infinite where an embedding is not finite.
        """
        if not len(shown.person_I):
            return 1.0
        embedding_IE = self.embed(shown.input_I)
        if not np.isfinite(embedding_IE).all():
            return float("inf")
        seen = Sightings(embedding_IE, shown.person_I, shown.camera_I)
        found = find(seen.of(one_query_each(seen.person_I, seen.camera_I)), seen)
        return 1.0 - found.mean_precision if len(found.first_Q) else 1.0

    def embed(self, input_I: Bytes | Floats) -> Floats:
        """Embeddings, (I, E), not of unit length."""
        self.network.eval()
        chunks = range(0, len(input_I), _CHUNK)
        with torch.inference_mode():
            found = [self.network.embed(_tensor(input_I[at : at + _CHUNK])) for at in chunks]
        return np.asarray(torch.cat(found).numpy(), np.float32)

    def receive(self, layers: Layers) -> float:
        """Take common layers over, validate, and keep the state.

        The newest is kept, not the best by its own people: cities that stopped at different rounds
        could not compare embeddings. Whether a city uses it is chosen afterwards
        (`deepcity.learning.identity.best_level`).

        Raises:
            LayerPackageError: if the layers do not fit.
        """
        error = import_usable(self.network, layers, self.frozen, self.evaluate)
        if math.isfinite(error):
            self._keep(error)
        return error

    def error_with(self, layers: Layers) -> float:
        """Validation error with these layers in place of its own; nothing of it changes.

        Raises:
            LayerPackageError: if the layers do not fit.
        """
        return error_with(self.network, layers, self.frozen, self.evaluate)

    def train_round(self, round_number: int, *, proximal: float = 0.0) -> float:
        """Each picture once; returns the mean training loss.

        Args:
            proximal: weight of the pull towards the layers received (FedProx, Li et al. 2020).
        """
        first = round_number * self.steps
        seed = party_seed(self.seed, self.party, round_number)
        return self._steps(seed, first, self.settings.rounds * self.steps, proximal=proximal)

    def export(self, names: Iterable[str]) -> Layers:
        """Copies of the named layers, at their current weights."""
        return export_layers(self.network, names)

    def refit(self, kept: Iterable[str], seed: int) -> "IdentityLearner":
        """A copy that starts from the state kept, keeps some layers and fine-tunes the rest."""
        other = copy.copy(self)
        other.network = copy.deepcopy(self.network)
        other.network.load_state_dict(self._best_state)
        other.frozen = self.frozen | frozenset(kept)
        freeze(other.network, other.frozen)
        other._optimizer = other._new_optimizer()
        total = self.settings.refit_rounds * self.steps
        for done in range(self.settings.refit_rounds):
            other._steps(seed + done, done * self.steps, total, rate=_REFIT_RATE)
            other.receive({})
        other.keep_best()
        return other

    def _new_optimizer(self) -> AdamW:
        return AdamW(self.network.parameters(), weight_decay=self.settings.weight_decay)

    def _steps(
        self, seed: int, first: int, total: int, *, rate: float = 1.0, proximal: float = 0.0
    ) -> float:
        """Steps of one pass over the pictures, in an order drawn with one seed."""
        rng = np.random.default_rng(seed)
        self._train_mode()
        before = [one.detach().clone() for one in self.network.parameters()] if proximal else []
        losses = []
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            for step, batch_B in enumerate(np.array_split(rng.permutation(self.rows), self.steps)):
                peak = rate * self.settings.learning_rate
                self._optimizer.rate = one_cycle(peak, first + step, total)
                losses.append(self._step(batch_B, rng, before, proximal))
        return float(np.mean(losses))

    def _step(
        self, batch_B: Ints, rng: np.random.Generator, before: list[Tensor], proximal: float
    ) -> float:
        inputs = self.data.train.input_I[batch_B]
        if inputs.dtype == np.uint8:
            inputs = augmented(cast(Bytes, inputs), rng)
        scores_BP = self.network(_tensor(inputs))
        labels_B = self._label_I[torch.from_numpy(batch_B)]
        error = F.cross_entropy(scores_BP, labels_B, label_smoothing=self.settings.smoothing)
        return proximal_step(self._optimizer, error, before, proximal, most_norm=5.0)

    def _train_mode(self) -> None:
        """Frozen layers stay as they are, their running statistics too."""
        self.network.train()
        for name in self.frozen:
            self.network.get_submodule(name).eval()


def _tensor(inputs: Bytes | Floats) -> Tensor:
    if inputs.dtype != np.uint8:
        return torch.from_numpy(np.asarray(inputs, np.float32))
    pictures: Tensor = scaled(cast(Bytes, inputs)).to(memory_format=torch.channels_last)
    return pictures
