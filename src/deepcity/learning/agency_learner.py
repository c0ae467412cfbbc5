"""An agency's side of a meeting: it encodes its own rows, and learns from slopes it is told.

Before anybody asks, it teaches itself: its deep data must foretell the agency's own columns
(self-supervised, as contrastive predictive coding asks of a code: van den Oord et al. 2018;
here by plain regression). Later, slopes at the cut tell it how an application's error changes
with what it says, and it follows them for several steps of its own before it is told anew
(federated block coordinate descent, FedBCD: Liu et al. 2022).

Shapes: B origins, C cells, X inputs, D deep width, P quantities foretold.
"""

import copy
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from deepcity.city.arrays import Floats, Ints
from deepcity.city.errors import LayerPackageError
from deepcity.city.level import Layers
from deepcity.learning.columns import Columns
from deepcity.learning.encoder import EncoderShape, new_encoder
from deepcity.learning.hearing import DeepBatch
from deepcity.learning.own_columns import OwnColumns
from deepcity.learning.standing import Arrays, stand_again, standing
from deepcity.learning.training import party_seed


@dataclass(frozen=True)
class EncoderSettings:
    """How an agency's encoder is built and taught.

    Attributes:
        level: the cut level c.
        deep: width of its deep data.
        rate: learning rate.
        batch: origins a step.
        own_steps: steps in which it teaches itself before a meeting.
        reach: how far, at most, what it says may move by one telling of slopes (root mean
            square; it says numbers between -1 and 1).
    """

    level: int = 3
    deep: int = 4
    rate: float = 1e-3
    batch: int = 64
    own_steps: int = 300
    reach: float = 0.2
    weight_decay: float = 1e-2


class AgencyLearner:
    """One agency's encoder over its columns."""

    def __init__(
        self,
        name: str,
        columns: Columns | OwnColumns,
        settings: EncoderSettings,
        seed: int,
        horizon_s: int,
    ) -> None:
        self.name, self.columns, self.settings, self.seed = name, columns, settings, seed
        self.horizon_s = horizon_s
        guesses = columns.outlook(columns.time_T[:1], horizon_s).shape[-1]
        shape = EncoderShape(columns.width, settings.level, settings.deep, guesses)
        self.encoder = new_encoder(shape, seed)
        self._stood: dict[int, dict[str, torch.Tensor]] = {}
        self._optimizer = torch.optim.AdamW(
            self.encoder.parameters(), lr=settings.rate, weight_decay=settings.weight_decay
        )

    def teach_itself(self, times_B: Ints, steps: int | None = None, *, draw: int = 0) -> float:
        """Foretell own columns from the bottleneck; returns the last steps' mean squared error.

        Args:
            times_B: training origins, UTC seconds.
            steps: left out, `own_steps`; 0: nothing is learned, and 0 returned.
            draw: which batches are drawn; another number draws others.
        """
        rows, wanted = self._rows(times_B), self.columns.outlook(times_B, self.horizon_s)
        target = torch.from_numpy(wanted).flatten(0, 1)
        known = torch.isfinite(target)
        target = torch.nan_to_num(target)
        steps = self.settings.own_steps if steps is None else steps
        losses = []
        rng = np.random.default_rng(party_seed(self.seed, self.name, draw))
        self.encoder.train()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(party_seed(self.seed, self.name, draw))
            for _ in range(steps):
                chosen = torch.from_numpy(rng.integers(0, len(rows), self.settings.batch * 4))
                said = self.encoder.guess(self.encoder(rows[chosen]))
                error = torch.where(known[chosen], said - target[chosen], 0.0)
                loss = error.square().sum() / known[chosen].sum().clamp(min=1)
                self._follow(loss)
                losses.append(float(loss.detach()))
        return float(np.mean(losses[-20:])) if losses else 0.0

    def encode(self, times_B: Ints) -> DeepBatch:
        """Deep data for origins; a cell without any value to look at stays silent."""
        self.encoder.eval()
        cells = len(self.columns.cells.cell_C)
        with torch.inference_mode():
            said = self.encoder(self._rows(times_B)).numpy()
        return DeepBatch(said.reshape(len(times_B), cells, -1), self.columns.known(times_B))

    def learn(
        self, times_B: Ints, slope_BCD: Floats, steps: int, draw: int, rate: float = 1.0
    ) -> None:
        """Follow slopes told for these origins for some steps of its own.

        One step follows the slope itself, which is exact split learning. For more, a slope
        says less and less the further what is said moves away, so the agency steps once in
        what it says, down the slope and no further than `reach`, and learns to say that.

        Args:
            rate: share of the learning rate and of the reach, falling as a meeting goes on.
        """
        rows = self._rows(times_B)
        slope = torch.from_numpy(slope_BCD).flatten(0, 1) * len(times_B)
        target = None
        if steps > 1:
            said = torch.from_numpy(self.encode(times_B).vectors_BCD).flatten(0, 1)
            down = slope / slope.square().mean().sqrt().clamp(min=1e-12)
            target = (said - rate * self.settings.reach * down).clamp(-1, 1)
        for group in self._optimizer.param_groups:
            group["lr"] = rate * self.settings.rate
        cells = len(self.columns.cells.cell_C)
        rng = np.random.default_rng(party_seed(self.seed, self.name, draw))
        self.encoder.train()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(party_seed(self.seed, self.name, draw))
            for _ in range(steps):
                origins = np.arange(len(times_B))
                if self.settings.batch < len(times_B):
                    origins = rng.integers(0, len(times_B), self.settings.batch)
                chosen = torch.from_numpy((origins[:, None] * cells + np.arange(cells)).ravel())
                said = self.encoder(rows[chosen])
                if target is None:
                    self._follow((said * slope[chosen]).sum() / len(origins))
                else:
                    self._follow((said - target[chosen]).square().mean())

    def remember(self, number: int, best: int = -1) -> None:
        """Keep the encoder as it stands in a round; of earlier ones only the best stays."""
        stood = {best: self._stood[best]} if best in self._stood else {}
        self._stood = {**stood, number: copy.deepcopy(self.encoder.state_dict())}

    def return_to(self, number: int) -> None:
        """Stand where the encoder stood at the end of a round.

        Raises:
            KeyError: if it remembers no such round.
        """
        self.encoder.load_state_dict(self._stood[number])

    def twin(self) -> "AgencyLearner":
        """The same agency as it stands now, to learn on its own; rows are shared."""
        other = copy.copy(self)
        # together, so that the optimizer goes on with the copied weights
        other.encoder, other._optimizer = copy.deepcopy((self.encoder, self._optimizer))
        other._stood = dict(self._stood)
        return other

    def state(self, best: int) -> Arrays:
        """All that changes in a meeting, as named arrays, and how it stood in the best round."""
        return standing(self.encoder, self._optimizer, self._stood.get(best))

    def restore(self, arrays: Arrays, best: int) -> None:
        """Continue exactly where `state` was taken."""
        stood = stand_again(self.encoder, self._optimizer, arrays)
        self._stood = {best: stood} if stood else {}

    def _follow(self, loss: torch.Tensor) -> None:
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.encoder.parameters(), 1.0)
        self._optimizer.step()

    def _rows(self, times_B: Ints) -> torch.Tensor:
        return torch.from_numpy(self.columns.rows(times_B)).flatten(0, 1)

    def export(self, names: Iterable[str]) -> Layers:
        """Copies of the named layers: the stem, h1..hc, the bottleneck."""
        return {
            name: {
                key: value.detach().numpy().copy()
                for key, value in self.encoder.get_submodule(name).state_dict().items()
            }
            for name in names
        }

    def start_from(self, layers: Layers) -> None:
        """Take over layers of another service's or city's encoder.

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
            msg = f"layers do not fit {self.name}'s encoder: {'; '.join(problems)}"
            raise LayerPackageError(msg)
        for name, tensors in layers.items():
            state = {key: torch.from_numpy(np.array(value)) for key, value in tensors.items()}
            self.encoder.get_submodule(name).load_state_dict(state)
