"""An agency's side of vertical training: it encodes its own rows and applies gradients.

First its encoder is pretrained without labels: its deep data must predict the agency's own
future columns (self-supervised, the pretext of contrastive predictive coding: van den Oord et
al. 2018; here by plain regression). Then the application sends gradients of its error at the
cut, and the agency takes several local steps per gradient (federated block coordinate descent,
FedBCD: Liu et al. 2022).

Shapes: B origins, C cells, X inputs, D deep width, P pretext targets.
"""

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import torch

from deepcity.city.arrays import Floats, Ints
from deepcity.city.errors import LayerPackageError
from deepcity.city.level import Layers
from deepcity.learning.features.agency_columns import Columns
from deepcity.learning.features.input_columns import InputColumns
from deepcity.learning.networks.encoder import EncoderShape, new_encoder
from deepcity.learning.networks.reuse import export_layers, load_arrays
from deepcity.learning.split.fusion_inputs import DeepBatch
from deepcity.learning.training.adamw import AdamW, clip_gradients
from deepcity.learning.training.local_training import party_seed
from deepcity.learning.training.training_state import Arrays, capture_state, restore_state
from deepcity.privacy.defences.penalty import LeakagePenalty
from deepcity.privacy.defences.settings import Defences


@dataclass(frozen=True)
class EncoderSettings:
    """How an agency's encoder is built and trained.

    Attributes:
        pretrain_steps: steps of self-supervised pretraining.
        trust_radius: how far activations, which lie between -1 and 1, may move per gradient
            (root mean square).
        defences: of its deep data, while it learns and on their way out.
    """

    level: int = 3
    width: int = 4
    rate: float = 1e-3
    batch_size: int = 64
    pretrain_steps: int = 300
    trust_radius: float = 0.2
    weight_decay: float = 1e-2
    defences: Defences = field(default_factory=Defences)


class AgencyLearner:
    """One agency's encoder over its columns."""

    def __init__(
        self,
        name: str,
        columns: Columns | InputColumns,
        settings: EncoderSettings,
        seed: int,
        horizon_s: int,
    ) -> None:
        self.name, self.columns, self.settings, self.seed = name, columns, settings, seed
        self.horizon_s = horizon_s
        pretext_outputs = columns.pretext_targets(columns.time_T[:1], horizon_s).shape[-1]
        shape = EncoderShape(columns.width, settings.level, settings.width, pretext_outputs)
        self.encoder = new_encoder(shape, seed)
        self._snapshots: dict[int, dict[str, torch.Tensor]] = {}
        self._optimizer = AdamW(
            self.encoder.parameters(), rate=settings.rate, weight_decay=settings.weight_decay
        )
        self._penalty = LeakagePenalty(settings.defences, columns.width, settings.width, seed)

    def pretrain(self, times_B: Ints, steps: int | None = None, *, seed: int = 0) -> float:
        """Predict own columns from the bottleneck; returns the last steps' mean squared error.

        Args:
            times_B: training origins, UTC seconds.
            steps: left out, `pretrain_steps`; with 0 nothing is trained, and 0 returned.
            seed: of the batches sampled.
        """
        rows, targets = self._rows(times_B), self.columns.pretext_targets(times_B, self.horizon_s)
        target = torch.from_numpy(targets).flatten(0, 1)
        known = torch.isfinite(target)
        target = torch.nan_to_num(target)
        steps = self.settings.pretrain_steps if steps is None else steps
        losses = []
        rng = np.random.default_rng(party_seed(self.seed, self.name, seed))
        self.encoder.train()
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(party_seed(self.seed, self.name, seed))
            for _ in range(steps):
                chosen = torch.from_numpy(rng.integers(0, len(rows), self.settings.batch_size * 4))
                activations = self.encoder(rows[chosen])
                predicted = self.encoder.pretext_head(activations)
                error = torch.where(known[chosen], predicted - target[chosen], 0.0)
                loss = error.square().sum() / known[chosen].sum().clamp(min=1)
                self._optimizer_step(loss + self._penalty.loss(rows[chosen], activations))
                losses.append(float(loss.detach()))
        return float(np.mean(losses[-20:])) if losses else 0.0

    def encode(self, times_B: Ints) -> DeepBatch:
        """Deep data for origins; a cell without any value to encode is masked."""
        self.encoder.eval()
        cells = len(self.columns.cells.cell_C)
        with torch.inference_mode():
            activations = self.encoder(self._rows(times_B)).numpy()
        return DeepBatch(activations.reshape(len(times_B), cells, -1), self.columns.known(times_B))

    def apply_gradients(
        self, times_B: Ints, gradient_BCD: Floats, steps: int, seed: int, rate: float = 1.0
    ) -> None:
        """Train on gradients of the application's error at these origins, for some local steps.

        One step backpropagates the gradient itself, which is exact split learning. Over more
        steps a gradient goes stale as activations move, so the activations take one step down
        the gradient, no further than `trust_radius`, and the encoder is fitted to the result.

        Args:
            rate: factor of learning rate and trust radius, falling over the training.
        """
        rows = self._rows(times_B)
        gradient = torch.from_numpy(gradient_BCD).flatten(0, 1) * len(times_B)
        target = None
        if steps > 1:
            activations = torch.from_numpy(self.encode(times_B).vectors_BCD).flatten(0, 1)
            direction = gradient / gradient.square().mean().sqrt().clamp(min=1e-12)
            target = (activations - rate * self.settings.trust_radius * direction).clamp(-1, 1)
        self._optimizer.rate = rate * self.settings.rate
        cells = len(self.columns.cells.cell_C)
        rng = np.random.default_rng(party_seed(self.seed, self.name, seed))
        self.encoder.train()
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(party_seed(self.seed, self.name, seed))
            for _ in range(steps):
                origins = np.arange(len(times_B))
                if self.settings.batch_size < len(times_B):
                    origins = rng.integers(0, len(times_B), self.settings.batch_size)
                chosen = torch.from_numpy((origins[:, None] * cells + np.arange(cells)).ravel())
                activations = self.encoder(rows[chosen])
                penalty = self._penalty.loss(rows[chosen], activations)
                if target is None:
                    loss = (activations * gradient[chosen]).sum() / len(origins)
                else:
                    loss = (activations - target[chosen]).square().mean()
                self._optimizer_step(loss + penalty)

    def snapshot(self, number: int, best: int = -1) -> None:
        """Keep the encoder of a round; of earlier rounds only the best is kept."""
        best_state = {best: self._snapshots[best]} if best in self._snapshots else {}
        self._snapshots = {**best_state, number: copy.deepcopy(self.encoder.state_dict())}

    def restore_snapshot(self, number: int) -> None:
        """Set the encoder back to the end of a round.

        Raises:
            KeyError: if that round was not kept.
        """
        self.encoder.load_state_dict(self._snapshots[number])

    def copy(self) -> "AgencyLearner":
        """An independent copy with the present weights; rows are shared."""
        other = copy.copy(self)
        # together, so that the optimizer refers to the copied weights
        together = self.encoder, self._optimizer, self._penalty
        other.encoder, other._optimizer, other._penalty = copy.deepcopy(together)
        other._snapshots = dict(self._snapshots)
        return other

    def state(self, best: int) -> Arrays:
        """The training state as named arrays, with the weights of the best round."""
        return capture_state(self.encoder, self._optimizer, self._snapshots.get(best))

    def restore(self, arrays: Arrays, best: int) -> None:
        """Continue exactly where `state` was taken."""
        best_state = restore_state(self.encoder, self._optimizer, arrays)
        self._snapshots = {best: best_state} if best_state else {}

    def _optimizer_step(self, loss: torch.Tensor) -> None:
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        clip_gradients(self._optimizer.parameters, 1.0)
        self._optimizer.step()
        self._penalty.step()

    def _rows(self, times_B: Ints) -> torch.Tensor:
        return torch.from_numpy(self.columns.rows(times_B)).flatten(0, 1)

    def export(self, names: Iterable[str]) -> Layers:
        """Copies of the named layers: the stem, h1..hc, the bottleneck."""
        return export_layers(self.encoder, names)

    def start_from(self, layers: Layers) -> None:
        """Import layers of another service's or city's encoder.

        Raises:
            LayerPackageError: if one is unknown or does not fit; nothing is changed then.
        """
        problems = []
        for name, tensors in layers.items():
            if name not in self.encoder.layers:
                problems.append(f"no layer {name!r}; it has {', '.join(self.encoder.layers)}")
                continue
            own = self.encoder.get_submodule(name).state_dict()
            if {key: tuple(value.shape) for key, value in own.items()} != {
                key: value.shape for key, value in tensors.items()
            }:
                problems.append(f"{name} has other tensors or shapes")
            elif not all(np.isfinite(value).all() for value in tensors.values()):
                problems.append(f"{name} holds NaN or infinity")
        if problems:
            raise LayerPackageError(
                f"layers do not fit {self.name}'s encoder: {'; '.join(problems)}"
            )
        for name, tensors in layers.items():
            load_arrays(self.encoder.get_submodule(name), tensors)
