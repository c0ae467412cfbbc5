"""From deep data of agencies' cells to a network's inputs, in training and live alike.

Shapes: B origins, N places, C cells of an agency, D deep width, H horizon steps, R rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from deepcity.city.arrays import Bools, Floats, Ints
from deepcity.learning.features.inputs import Samples
from deepcity.learning.networks.fused import FusedNetwork, MaskedActivations
from deepcity.learning.networks.network import Network


@dataclass(frozen=True)
class DeepBatch:
    """One agency's deep data for some origins.

    Attributes:
        vectors_BCD: its activations, arbitrary where `known_BC` is False.
        known_BC: whether it sent any for a cell.
    """

    vectors_BCD: Floats
    known_BC: Bools

    def of(self, rows_B: Ints) -> "DeepBatch":
        """Some of the origins."""
        return DeepBatch(self.vectors_BCD[rows_B], self.known_BC[rows_B])


DeepBatches = Mapping[str, DeepBatch]
"""Agency -> its deep data, all for the same origins."""
CellWeights = Mapping[str, Tensor]
"""Agency -> (N, C), weights of its cells for each place (rows sum to 1)."""


def without_agency(deep: DeepBatches, agency: str) -> DeepBatches:
    """The same without one agency."""
    return {name: batch for name, batch in deep.items() if name != agency}


def as_tensors(cell_weights: Mapping[str, Floats]) -> CellWeights:
    """Weights of cells as tensors."""
    return {
        name: torch.from_numpy(np.asarray(one, np.float32)) for name, one in cell_weights.items()
    }


def pool_cells(
    cell_weights_NC: Tensor, batch: DeepBatch, vectors_BCD: Tensor | None = None
) -> MaskedActivations:
    """One agency's deep data pooled over its cells for each place, and the mask.

    Args:
        vectors_BCD: used instead of those of `batch`, where gradients are needed.
    """
    known_BC = torch.from_numpy(batch.known_BC)
    vectors = torch.from_numpy(batch.vectors_BCD) if vectors_BCD is None else vectors_BCD
    vectors = torch.where(known_BC[..., None], torch.nan_to_num(vectors), 0.0)
    weight_BNC = cell_weights_NC * known_BC[:, None].float()
    total_BN1 = weight_BNC.sum(-1, keepdim=True)
    pooled_BND = (weight_BNC / total_BN1.clamp(min=1e-6)) @ vectors
    return pooled_BND.flatten(0, 1), (total_BN1 > 0).float().flatten(0, 1)


def network_inputs(samples: Samples, rows_B: Ints) -> tuple[Tensor, Tensor]:
    """Features (R, F) and linear features (R, H, S) of some origins."""
    features_RF = torch.from_numpy(samples.features_BNF[rows_B]).flatten(0, 1)
    return features_RF, torch.from_numpy(samples.linear_BNHS[rows_B]).flatten(0, 1)


def predict(
    network: FusedNetwork,
    cell_weights: CellWeights,
    samples: Samples,
    deep: DeepBatches,
    *,
    alone: Network | None = None,
    chunk: int = 64,
) -> Floats:
    """The network's output, (B, N, H), in scaled units.

    Args:
        alone: the network used instead where `deep` is empty; None: the fused one.
        chunk: origins at once, to bound memory on long spans.
    """
    network.eval()
    forecast = np.empty(samples.baseline_BNH.shape, np.float32)
    with torch.inference_mode():
        for start in range(0, len(samples), chunk):
            rows_B = np.arange(start, min(start + chunk, len(samples)))
            inputs = network_inputs(samples, rows_B)
            if alone is not None and not deep:
                output = alone.eval()(*inputs)
            else:
                part = {
                    name: pool_cells(cell_weights[name], one.of(rows_B))
                    for name, one in deep.items()
                }
                output = network(*inputs, part)
            forecast[rows_B] = output.numpy().reshape(len(rows_B), *forecast.shape[1:])
    return forecast
