"""The application's side of a meeting: it learns on what agencies said and tells them slopes.

Shapes: B origins, N places, C cells of an agency, D deep width, H horizon steps.
"""

import copy
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from deepcity.city.arrays import Floats, Ints
from deepcity.learning.features import Samples
from deepcity.learning.fused import FusedNetwork
from deepcity.learning.hearing import Deep, as_tensors, heard, rows_of, say
from deepcity.learning.labels import Labels
from deepcity.learning.standing import Arrays, stand_again, standing
from deepcity.learning.training import TrainingSettings, learning_rate, party_seed


class FusedLearner:
    """Trains an application's network on stretches of origins for which agencies spoke.

    Args of `FusedLearner(...)`:
        match: agency -> (N, C), how much each of its cells speaks for a place (rows sum to 1).
        total: optimizer steps of the whole training, for the learning rate's schedule.
    """

    def __init__(
        self,
        network: FusedNetwork,
        train: Samples,
        validation: Samples,
        labels: Labels,
        match: Mapping[str, Floats],
        settings: TrainingSettings,
        *,
        total: int | None = None,
    ) -> None:
        self.network, self.train, self.validation = network, train, validation
        self.labels, self.settings = labels, settings
        self.total = total or settings.total_steps
        self.match = as_tensors(match)
        self.optimizer = torch.optim.AdamW(
            network.parameters(), weight_decay=settings.weight_decay, foreach=True
        )
        self.best = float("inf")
        self._best_state = copy.deepcopy(network.state_dict())

    def steps(self, rows_B: Ints, deep: Deep, first: int, count: int, seed: int) -> None:
        """Optimizer steps on batches of a stretch, with what agencies said for it as it stands.

        Args:
            rows_B: indices of training origins.
            deep: for these origins.
            first: number of the first step in the whole training.
        """
        rng = np.random.default_rng(party_seed(seed, "fused", first))
        size = max(1, self.settings.batch_rows // self.train.anchor_BNH.shape[1])
        self.network.train()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(party_seed(seed, "fused", first))
            for step in range(first, first + count):
                for group in self.optimizer.param_groups:
                    group["lr"] = learning_rate(self.settings, step, self.total)
                chosen = np.arange(len(rows_B))
                if size < len(rows_B):
                    chosen = rng.integers(0, len(rows_B), size)
                self._step(rows_B[chosen], {name: said.of(chosen) for name, said in deep.items()})

    def rate(self, step: int) -> float:
        """Share of the learning rate that the schedule leaves at a step."""
        return learning_rate(self.settings, step, self.total) / self.settings.learning_rate

    def slopes(self, rows_B: Ints, deep: Deep) -> dict[str, Floats]:
        """How the mean error of a stretch changes with what each agency said, (B, C, D)."""
        if not deep:  # everybody was silent
            return {}
        self.network.eval()
        wanted = {
            name: torch.from_numpy(said.vectors_BCD).requires_grad_() for name, said in deep.items()
        }
        said = self._say(self.train, rows_B, deep, wanted)
        slope = self.labels.slope(rows_B, said.detach().numpy())
        found = torch.autograd.grad(said, list(wanted.values()), torch.from_numpy(slope))
        return {name: grad.numpy() for name, grad in zip(wanted, found, strict=True)}

    def look(self, deep: Deep) -> float:
        """Error on the validation span; remembers the state if it is the best so far."""
        error = self.labels.error(self.say(self.validation, deep))
        if error < self.best:
            self.best, self._best_state = error, copy.deepcopy(self.network.state_dict())
        return error

    def keep_best(self) -> None:
        """Return to the best state seen."""
        self.network.load_state_dict(self._best_state)

    def state(self) -> Arrays:
        """All that changes in training, as named arrays; for checkpoints."""
        arrays = standing(self.network, self.optimizer, self._best_state)
        return {**arrays, "best_error": np.array([self.best], np.float64)}

    def restore(self, arrays: Arrays) -> None:
        """Continue exactly where `state` was taken."""
        self._best_state = stand_again(self.network, self.optimizer, arrays)
        self.best = float(arrays["best_error"][0])

    def say(self, samples: Samples, deep: Deep) -> Floats:
        """What the network says, (B, N, H), in scaled units."""
        return say(self.network, self.match, samples, deep)

    def _step(self, rows_B: Ints, deep: Deep) -> None:
        said = self._say(self.train, rows_B, deep, {})
        slope = self.labels.slope(rows_B, said.detach().numpy())
        self.optimizer.zero_grad(set_to_none=True)
        said.backward(torch.from_numpy(slope))  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()

    def _say(
        self, samples: Samples, rows_B: Ints, deep: Deep, wanted: Mapping[str, Tensor]
    ) -> Tensor:
        told = {name: heard(self.match[name], one, wanted.get(name)) for name, one in deep.items()}
        said: Tensor = self.network(*rows_of(samples, rows_B), told)
        return said.reshape(len(rows_B), -1, said.shape[-1])
