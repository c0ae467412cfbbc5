"""The application's side of vertical training: it trains on deep data and returns gradients.

Shapes: B origins, N places, C cells of an agency, D deep width, H horizon steps.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from deepcity.city.arrays import Floats, Ints
from deepcity.learning.features.inputs import Samples
from deepcity.learning.networks.fused import FusedNetwork
from deepcity.learning.split.fusion_inputs import (
    DeepBatches,
    as_tensors,
    network_inputs,
    pool_cells,
    predict,
)
from deepcity.learning.split.labels import Labels
from deepcity.learning.training.adamw import AdamW, clip_gradients
from deepcity.learning.training.local_training import TrainingSettings, learning_rate, party_seed
from deepcity.learning.training.training_state import KeepsBest


class FusedLearner(KeepsBest):
    """Trains an application's network on blocks of origins with agencies' deep data.

    Args of `FusedLearner(...)`:
        cell_weights: agency -> (N, C), weights of its cells for each place (rows sum to 1).
    """

    def __init__(
        self,
        network: FusedNetwork,
        train: Samples,
        validation: Samples,
        labels: Labels,
        cell_weights: Mapping[str, Floats],
        settings: TrainingSettings,
    ) -> None:
        self.network: FusedNetwork = network
        self.train, self.validation = train, validation
        self.labels, self.settings = labels, settings
        self.cell_weights = as_tensors(cell_weights)
        self._optimizer = AdamW(network.parameters(), weight_decay=settings.weight_decay)
        self._keep(float("inf"))

    def steps(self, rows_B: Ints, deep: DeepBatches, first: int, count: int, seed: int) -> None:
        """Optimizer steps on batches of a block, with its deep data kept fixed.

        Args:
            rows_B: indices of training origins.
            deep: for these origins.
            first: number of the first step in the whole training.
        """
        rng = np.random.default_rng(party_seed(seed, "fused", first))
        size = max(1, self.settings.batch_size // self.train.baseline_BNH.shape[1])
        self.network.train()
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(party_seed(seed, "fused", first))
            for step in range(first, first + count):
                self._optimizer.rate = learning_rate(self.settings, step, self.settings.total_steps)
                chosen = np.arange(len(rows_B))
                if size < len(rows_B):
                    chosen = rng.integers(0, len(rows_B), size)
                self._step(rows_B[chosen], {name: batch.of(chosen) for name, batch in deep.items()})

    def rate(self, step: int) -> float:
        """Factor of the learning rate that the schedule gives at a step."""
        return (
            learning_rate(self.settings, step, self.settings.total_steps)
            / self.settings.learning_rate
        )

    def gradients(self, rows_B: Ints, deep: DeepBatches) -> dict[str, Floats]:
        """Gradient of a block's mean error in each agency's deep data, (B, C, D)."""
        if not deep:  # no agency is present
            return {}
        self.network.eval()
        leaves = {
            name: torch.from_numpy(batch.vectors_BCD).requires_grad_()
            for name, batch in deep.items()
        }
        forecast = self._forward(self.train, rows_B, deep, leaves)
        gradient = self.labels.gradient(rows_B, forecast.detach().numpy())
        found = torch.autograd.grad(forecast, list(leaves.values()), torch.from_numpy(gradient))
        return {name: grad.numpy() for name, grad in zip(leaves, found, strict=True)}

    def evaluate(self, deep: DeepBatches) -> float:
        """Error on the validation span; keeps the state if it is the best so far."""
        error = self.labels.error(self.predict(self.validation, deep))
        if error < self.best:
            self._keep(error)
        return error

    def predict(self, samples: Samples, deep: DeepBatches) -> Floats:
        """The network's output, (B, N, H), in scaled units."""
        return predict(self.network, self.cell_weights, samples, deep)

    def _step(self, rows_B: Ints, deep: DeepBatches) -> None:
        forecast = self._forward(self.train, rows_B, deep, {})
        gradient = self.labels.gradient(rows_B, forecast.detach().numpy())
        self._optimizer.zero_grad()
        forecast.backward(torch.from_numpy(gradient))  # type: ignore[no-untyped-call]
        clip_gradients(self._optimizer.parameters, 1.0)
        self._optimizer.step()

    def _forward(
        self, samples: Samples, rows_B: Ints, deep: DeepBatches, leaves: Mapping[str, Tensor]
    ) -> Tensor:
        pooled = {
            name: pool_cells(self.cell_weights[name], one, leaves.get(name))
            for name, one in deep.items()
        }
        forecast: Tensor = self.network(*network_inputs(samples, rows_B), pooled)
        return forecast.reshape(len(rows_B), -1, forecast.shape[-1])
