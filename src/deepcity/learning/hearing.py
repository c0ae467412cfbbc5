"""How an application's places hear what agencies' cells said; in training and live alike.

Shapes: B origins, N places, C cells of an agency, D deep width, H horizon steps, R rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from deepcity.city.arrays import Bools, Floats, Ints
from deepcity.learning.features import Samples
from deepcity.learning.fused import FusedNetwork, Heard
from deepcity.learning.network import Network


@dataclass(frozen=True)
class DeepBatch:
    """What one agency said for some origins.

    Attributes:
        vectors_BCD: its deep data, anything where it did not speak.
        known_BC: whether it spoke for a cell.
    """

    vectors_BCD: Floats
    known_BC: Bools

    def of(self, rows_B: Ints) -> "DeepBatch":
        """Some of the origins."""
        return DeepBatch(self.vectors_BCD[rows_B], self.known_BC[rows_B])


Deep = Mapping[str, DeepBatch]
"""Agency -> what it said, for the same origins."""
Match = Mapping[str, Tensor]
"""Agency -> (N, C), how much each of its cells speaks for a place (rows sum to 1)."""


def silent(deep: Deep, agency: str) -> Deep:
    """The same without one agency."""
    return {name: said for name, said in deep.items() if name != agency}


def as_tensors(match: Mapping[str, Floats]) -> Match:
    """The agencies' matching matrices as a network takes them."""
    return {name: torch.from_numpy(np.asarray(one, np.float32)) for name, one in match.items()}


def heard(match_NC: Tensor, said: DeepBatch, vectors_BCD: Tensor | None = None) -> Heard:
    """One agency's cells as the application's places hear them: cells that spoke, weighed.

    Args:
        vectors_BCD: instead of those of `said`, where slopes are wanted.
    """
    known_BC = torch.from_numpy(said.known_BC)
    vectors = torch.from_numpy(said.vectors_BCD) if vectors_BCD is None else vectors_BCD
    vectors = torch.where(known_BC[..., None], torch.nan_to_num(vectors), 0.0)
    weight_BNC = match_NC * known_BC[:, None].float()
    total_BN1 = weight_BNC.sum(-1, keepdim=True)
    heard_BND = (weight_BNC / total_BN1.clamp(min=1e-6)) @ vectors
    return heard_BND.flatten(0, 1), (total_BN1 > 0).float().flatten(0, 1)


def rows_of(samples: Samples, rows_B: Ints) -> tuple[Tensor, Tensor]:
    """Features (R, F) and summaries (R, H, S) of some origins."""
    features_RF = torch.from_numpy(samples.features_BNF[rows_B]).flatten(0, 1)
    return features_RF, torch.from_numpy(samples.summaries_BNHS[rows_B]).flatten(0, 1)


def say(
    network: FusedNetwork,
    match: Match,
    samples: Samples,
    deep: Deep,
    *,
    alone: Network | None = None,
    chunk: int = 64,
) -> Floats:
    """What the network says, (B, N, H), in scaled units.

    Args:
        alone: who speaks instead where nobody is heard; None: the network, hearing nobody.
        chunk: origins at once: memory stays small however long the span is.
    """
    network.eval()
    said = np.empty(samples.anchor_BNH.shape, np.float32)
    with torch.inference_mode():
        for start in range(0, len(samples), chunk):
            rows_B = np.arange(start, min(start + chunk, len(samples)))
            inputs = rows_of(samples, rows_B)
            if alone is not None and not deep:
                told = alone.eval()(*inputs)
            else:
                part = {name: heard(match[name], one.of(rows_B)) for name, one in deep.items()}
                told = network(*inputs, part)
            said[rows_B] = told.numpy().reshape(len(rows_B), *said.shape[1:])
    return said
