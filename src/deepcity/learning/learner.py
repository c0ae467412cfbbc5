"""One party's learner: its network, its optimizer, and the best state it has seen.

It may start from layers of another service or city, frozen or fine-tuned (transfer
learning, Pan & Yang 2010; the paper's figure 1), and train the rest.

The best state is the one with the lowest error on the party's own validation span, looked
at right after the common layers came in: what the party would really use from then on.
"""

import copy
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from deepcity.city.arrays import Floats
from deepcity.city.level import LADDER, STEM, Layers
from deepcity.learning.features import Samples
from deepcity.learning.network import Shape, new_network
from deepcity.learning.reuse import export_layers, freeze, import_layers
from deepcity.learning.standing import Arrays, stand_again, standing
from deepcity.learning.training import (
    TrainingSettings,
    forecast,
    judge,
    learning_rate,
    loss,
    party_seed,
)

EVERY_LAYER = (STEM, *LADDER)


@dataclass(frozen=True)
class PartyData:
    """What a party learns from, chooses by, and where its head begins; none ever leaves it."""

    party: str
    train: Samples
    validation: Samples
    recall_HS: Floats
    measured: int | None = None  # values of the training span; left out, those in `train`
    share: float = 1.0  # see `deepcity.learning.features.Inputs.share`

    @property
    def rows(self) -> int:
        """Measured training values: how much this party's word weighs in an average."""
        if self.measured is not None:
            return self.measured
        return int(np.isfinite(self.train.truth_BNH).sum())


class Learner:
    """Trains one party's network in rounds of local steps.

    Args of `Learner(...)`:
        start: layers to begin with instead of the seed's own.
        frozen: names of layers that training leaves as they are.
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
            data.train.anchor_BNH.shape[-1],
            summaries=data.recall_HS.shape[-1],
            recent=data.train.recent,
        )
        self.network = new_network(
            shape,
            seed,
            dropout=settings.dropout,
            input_dropout=settings.input_dropout,
            noise=settings.noise,
        )
        with torch.no_grad():
            self.network.head.recall.copy_(torch.from_numpy(data.recall_HS))
            self.network.head.share.fill_(data.share)
        import_layers(self.network, start or {})
        self.frozen = frozenset(frozen)
        freeze(self.network, self.frozen)
        self._features = torch.from_numpy(data.train.features_BNF)
        self._summaries = torch.from_numpy(data.train.summaries_BNHS)
        self._target = torch.from_numpy(data.train.target_BNH)
        self._optimizer = self._new_optimizer()
        self.best = self.look()
        self._best_state = copy.deepcopy(self.network.state_dict())

    def _new_optimizer(self) -> torch.optim.AdamW:
        return torch.optim.AdamW(
            self.network.parameters(), weight_decay=self.settings.weight_decay, fused=True
        )

    def look(self) -> float:
        """Error on the validation span as the network stands, in the field's unit."""
        samples = self.data.validation
        return judge(forecast(self.network, samples), samples, self.settings.absolute_share)

    def receive(self, layers: Layers) -> float:
        """Take in common layers, validate, remember the state if it is the best so far.

        Without a validation truth nothing tells which is: the newest counts.
        Frozen layers stay to the bit, even where others send them rounded.
        """
        import_layers(
            self.network, {name: part for name, part in layers.items() if name not in self.frozen}
        )
        error = self.look()
        if not error >= self.best:  # NaN: no truth
            self.best = error
            self._best_state = copy.deepcopy(self.network.state_dict())
        return error

    def train_round(self, round_number: int, *, proximal: float = 0.0) -> float:
        """Local steps of one round; returns the mean training loss.

        Args:
            proximal: pull towards the layers the round began with (FedProx, Li et al. 2020).
        """
        first = round_number * self.settings.local_steps
        anchor = [p.detach().clone() for p in self.network.parameters()] if proximal else []
        return self._steps(
            party_seed(self.seed, self.data.party, round_number),
            range(first, first + self.settings.local_steps),
            self.settings.total_steps,
            anchor=anchor,
            proximal=proximal,
        )

    def _steps(
        self,
        seed: int,
        steps: range,
        total: int,
        *,
        rate: float = 1.0,
        anchor: list[torch.Tensor],
        proximal: float,
    ) -> float:
        """Optimizer steps on batches drawn from one seed."""
        rng = np.random.default_rng(seed)
        self.network.train()
        losses = []
        now = [p.detach() for p in self.network.parameters()]
        average = [p.clone() for p in now]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            for step in steps:
                for group in self._optimizer.param_groups:
                    group["lr"] = rate * learning_rate(self.settings, step, total)
                losses.append(self._step(rng, anchor, proximal))
                keep = min(self.settings.averaging, len(losses) / (len(losses) + 1))
                torch._foreach_lerp_(average, now, 1 - keep)
        with torch.no_grad():
            for p, a in zip(self.network.parameters(), average, strict=True):
                p.copy_(a)
        return float(np.mean(losses))

    def _step(self, rng: np.random.Generator, anchor: list[torch.Tensor], proximal: float) -> float:
        origins, places = self._features.shape[:2]
        size = max(1, self.settings.batch_rows // places)
        batch = torch.from_numpy(rng.integers(0, origins, size))
        said = self.network(
            self._features[batch].flatten(0, 1), self._summaries[batch].flatten(0, 1)
        )
        error = loss(said, self._target[batch].flatten(0, 1), self.settings.absolute_share)
        self._optimizer.zero_grad(set_to_none=True)
        error.backward()  # type: ignore[no-untyped-call]
        for parameter, start in zip(self.network.parameters(), anchor, strict=False):
            if parameter.grad is not None:
                parameter.grad.add_(parameter.detach() - start, alpha=proximal)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._optimizer.step()
        return float(error.detach())

    def export(self, names: Iterable[str]) -> Layers:
        """Copies of the named layers as they stand."""
        return export_layers(self.network, names)

    def keep_best(self) -> None:
        """Return the network to the best state seen on the validation span."""
        self.network.load_state_dict(self._best_state)

    def refit(self, frozen: Iterable[str], steps: int, seed: int) -> "Learner":
        """A copy that starts from the best state, keeps `frozen` layers and tunes the rest.

        Layers that were frozen from the start stay so; with all of them frozen, it is the copy.
        """
        other = copy.copy(self)
        other.network = copy.deepcopy(self.network)
        other.network.load_state_dict(self._best_state)
        other.frozen = self.frozen | frozenset(frozen)
        freeze(other.network, other.frozen)
        other._optimizer = other._new_optimizer()
        sixth = max(1, steps // 6)
        learns = any(parameter.requires_grad for parameter in other.network.parameters())
        for start in range(0, steps if learns else 0, sixth):
            span = range(start, min(start + sixth, steps))
            other._steps(seed + start, span, steps, rate=0.3, anchor=[], proximal=0.0)
            other.receive({})
        other.keep_best()
        return other

    def forecast(self, samples: Samples) -> Floats:
        """Forecasts in the field's unit, (B, N, H)."""
        return forecast(self.network, samples)

    def state(self) -> Arrays:
        """All that changes in training, as named arrays; for checkpoints of this party alone."""
        arrays = standing(self.network, self._optimizer, self._best_state)
        return {**arrays, "best_error": np.array([self.best], np.float64)}

    def restore(self, arrays: Arrays) -> None:
        """Continue exactly where `state` was taken."""
        self._best_state = stand_again(self.network, self._optimizer, arrays)
        self.best = float(arrays["best_error"][0])
