"""One party's learner: its network, its optimizer, and the best state it has seen.

It may start from layers of another service or city, frozen or fine-tuned (transfer
learning, Pan & Yang 2010; the paper's figure 1), and train the rest.

The best state is the one with the lowest error on the party's own validation span, evaluated
right after it received the common layers: the network it would use from then on.
"""

import copy
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from deepcity.city.arrays import Floats
from deepcity.city.level import LADDER, STEM, Layers
from deepcity.learning.features.inputs import Samples
from deepcity.learning.networks.network import Network, Shape, new_network
from deepcity.learning.networks.reuse import export_layers, freeze, import_layers
from deepcity.learning.training.adamw import AdamW
from deepcity.learning.training.local_training import (
    TrainingSettings,
    forecast,
    learning_rate,
    loss,
    party_seed,
    validation_score,
)
from deepcity.learning.training.proximal_step import proximal_step
from deepcity.learning.training.received_layers import error_with, import_usable
from deepcity.learning.training.training_state import KeepsBest

EVERY_LAYER = (STEM, *LADDER)


@dataclass(frozen=True)
class PartyData:
    """A party's training and validation rows and fitted ridge; none ever leaves it."""

    party: str
    train: Samples
    validation: Samples
    ridge_skip_HS: Floats
    measured: int | None = None  # values of the training span; left out, those in `train`
    residual_ratio: float = 1.0  # see `deepcity.learning.features.inputs.Inputs.residual_ratio`

    @property
    def rows(self) -> int:
        """Measured training values: this party's weight in an average."""
        if self.measured is not None:
            return self.measured
        return int(np.isfinite(self.train.truth_BNH).sum())


class Learner(KeepsBest):
    """Trains one party's network in rounds of local steps.

    Args of `Learner(...)`:
        start: initial layers, instead of those of the seed.
        frozen: names of layers that are not trained.
    """

    def __init__(
        self,
        data: PartyData,
        settings: TrainingSettings,
        seed: int,
        *,
        start: Layers | None = None,
        frozen: Iterable[str] = (),
    ) -> None:
        self.data = data
        self.settings = settings
        self.seed = seed
        shape = Shape(
            data.train.features_BNF.shape[-1],
            data.train.baseline_BNH.shape[-1],
            linear_features=data.ridge_skip_HS.shape[-1],
            recent=data.train.recent,
        )
        self.network: Network = new_network(
            shape,
            seed,
            dropout=settings.dropout,
            input_dropout=settings.input_dropout,
            noise=settings.noise,
        )
        with torch.no_grad():
            self.network.head.ridge_skip.copy_(torch.from_numpy(data.ridge_skip_HS))
            self.network.head.residual_ratio.fill_(data.residual_ratio)
        import_layers(self.network, start or {})
        self.frozen = frozenset(frozen)
        freeze(self.network, self.frozen)
        self._features = torch.from_numpy(data.train.features_BNF)
        self._linear_features = torch.from_numpy(data.train.linear_BNHS)
        self._target = torch.from_numpy(data.train.target_BNH)
        self._keep(self.evaluate())

    @property
    def party(self) -> str:
        """Its name."""
        return self.data.party

    @property
    def rows(self) -> int:
        """Measured training values: its weight in an average."""
        return self.data.rows

    @property
    def inputs(self) -> int:
        """Features of a row."""
        return int(self.data.train.features_BNF.shape[-1])

    def _new_optimizer(self) -> AdamW:
        decay = self.settings.weight_decay
        return AdamW(self.network.parameters(), weight_decay=decay, fused=True)

    def evaluate(self) -> float:
        """Validation error of the current weights, in the field's unit."""
        samples = self.data.validation
        return validation_score(forecast(self.network, samples), samples, self.settings.mae_weight)

    def receive(self, layers: Layers) -> float:
        """Import common layers, validate, keep the state if it is the best so far.

        Without a validation truth the newest state is kept. Frozen layers do not change,
        even where others send them rounded. Layers under which a forecast is not finite are
        refused: the party goes on with its own, so that one poisoned round ends nobody's training.
        """
        error = import_usable(self.network, layers, self.frozen, self.evaluate)
        if not error >= self.best:  # NaN: no truth was measured
            self._keep(error)
        return error

    def error_with(self, layers: Layers) -> float:
        """Validation error with these layers in place of its own; nothing of it changes.

        Frozen layers stay its own. Infinite where a forecast is not finite.

        Raises:
            LayerPackageError: if the layers do not fit.
        """
        return error_with(self.network, layers, self.frozen, self.evaluate)

    def train_round(self, round_number: int, *, proximal: float = 0.0) -> float:
        """Local steps of one round; returns the mean training loss.

        Args:
            proximal: weight of the pull towards the layers received (FedProx, Li et al. 2020).
        """
        first = round_number * self.settings.local_steps
        reference = [p.detach().clone() for p in self.network.parameters()] if proximal else []
        return self._steps(
            party_seed(self.seed, self.data.party, round_number),
            range(first, first + self.settings.local_steps),
            self.settings.total_steps,
            reference=reference,
            proximal=proximal,
        )

    def _steps(
        self,
        seed: int,
        steps: range,
        total: int,
        *,
        rate: float = 1.0,
        reference: list[torch.Tensor],
        proximal: float,
    ) -> float:
        """Optimizer steps on batches sampled with one seed."""
        rng = np.random.default_rng(seed)
        self.network.train()
        losses = []
        now = [p.detach() for p in self.network.parameters()]
        average = [p.clone() for p in now]
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            for step in steps:
                self._optimizer.rate = rate * learning_rate(self.settings, step, total)
                losses.append(self._step(rng, reference, proximal))
                decay = min(self.settings.ema_decay, len(losses) / (len(losses) + 1))
                torch._foreach_lerp_(average, now, 1 - decay)
        with torch.no_grad():
            for p, a in zip(self.network.parameters(), average, strict=True):
                p.copy_(a)
        return float(np.mean(losses))

    def _step(
        self, rng: np.random.Generator, reference: list[torch.Tensor], proximal: float
    ) -> float:
        origins, places = self._features.shape[:2]
        size = max(1, self.settings.batch_size // places)
        batch = torch.from_numpy(rng.integers(0, origins, size))
        output = self.network(
            self._features[batch].flatten(0, 1), self._linear_features[batch].flatten(0, 1)
        )
        error = loss(output, self._target[batch].flatten(0, 1), self.settings.mae_weight)
        return proximal_step(self._optimizer, error, reference, proximal, most_norm=1.0)

    def export(self, names: Iterable[str]) -> Layers:
        """Copies of the named layers, at their current weights."""
        return export_layers(self.network, names)

    def refit(self, frozen: Iterable[str], steps: int, seed: int) -> "Learner":
        """A copy that starts from the best state, keeps `frozen` layers and fine-tunes the rest.

        Layers that were frozen before stay frozen; with every layer frozen nothing is trained.
        """
        other = copy.copy(self)
        other.network = copy.deepcopy(self.network)
        other.network.load_state_dict(self._best_state)
        other.frozen = self.frozen | frozenset(frozen)
        freeze(other.network, other.frozen)
        other._optimizer = other._new_optimizer()
        chunk = max(1, steps // 6)
        trainable = any(parameter.requires_grad for parameter in other.network.parameters())
        for start in range(0, steps if trainable else 0, chunk):
            span = range(start, min(start + chunk, steps))
            other._steps(seed + start, span, steps, rate=0.3, reference=[], proximal=0.0)
            other.receive({})
        other.keep_best()
        return other

    def forecast(self, samples: Samples) -> Floats:
        """Forecasts in the field's unit, (B, N, H)."""
        return forecast(self.network, samples)
