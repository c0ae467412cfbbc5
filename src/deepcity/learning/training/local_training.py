"""How a party trains on its own rows: settings, batches, loss and schedule.

Random generators are seeded anew by (seed, party, round), never carried along, so a run that
was killed and resumed samples the same batches as one that was not.
"""

import math
import zlib

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from deepcity.data.config.toml_file import Settings
from deepcity.learning.evaluation.metrics import scores
from deepcity.learning.features.inputs import Samples
from deepcity.learning.networks.network import Network


class TrainingSettings(Settings):
    """Training hyperparameters, the same for all parties of a service."""

    rounds: int = Field(default=12, ge=1, description="rounds of federated training")
    local_steps: int = Field(default=30, ge=1, description="local optimizer steps per round")
    batch_size: int = Field(default=128, ge=1, description="rows (place x origin) per step")
    learning_rate: float = Field(default=2e-3, gt=0, description="its peak, of one cycle")
    weight_decay: float = Field(default=1e-2, ge=0, description="of AdamW")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="share of hidden units dropped")
    input_dropout: float = Field(default=0.1, ge=0, lt=1, description="share of inputs dropped")
    noise: float = Field(default=0.1, ge=0, description="noise on inputs, in scaled units")
    mae_weight: float = Field(
        default=0.5, ge=0, le=1, description="1: absolute error alone, 0: squared error alone"
    )
    stride: int = Field(default=1, ge=1, description="train on every stride-th origin")
    ema_decay: float = Field(
        default=0.95,
        ge=0,
        lt=1,
        description="decay of the moving average of weights that a round ends with",
    )
    refit_steps: int = Field(
        default=90, ge=0, description="local steps of fine-tuning for each reuse level tried"
    )

    @property
    def total_steps(self) -> int:
        """Optimizer steps of a whole run."""
        return self.rounds * self.local_steps


def party_seed(seed: int, party: str, round_number: int) -> int:
    """The seed of one party in one round."""
    return zlib.crc32(f"{seed}/{party}/{round_number}".encode())


def learning_rate(settings: TrainingSettings, step: int, total: int) -> float:
    """The rate of one step."""
    return one_cycle(settings.learning_rate, step, total)


def one_cycle(peak: float, step: int, total: int) -> float:
    """One-cycle schedule (Smith & Topin 2018): a short rise, then a cosine fall to nearly zero."""
    rise = max(1, round(0.15 * total))
    if step < rise:
        return peak * (step + 1) / rise
    done = min(1.0, (step - rise) / max(1, total - rise))
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))


def loss(forecast: Tensor, target: Tensor, mae_weight: float) -> Tensor:
    """Mixed absolute and squared error over measured targets; NaN targets count nowhere."""
    known = torch.isfinite(target)
    error = torch.where(known, forecast - torch.nan_to_num(target), 0.0)
    count = known.sum().clamp(min=1)
    mixed = mae_weight * error.abs().sum() + (1 - mae_weight) * error.square().sum()
    return mixed / count


def validation_score(forecast_BNH: np.ndarray, samples: Samples, mae_weight: float) -> float:
    """A service's validation error, in its unit: the loss's mixture, of MAE and RMSE."""
    found = scores(forecast_BNH, samples.truth_BNH)
    return mae_weight * found.mae + (1 - mae_weight) * found.rmse


def forecast(network: Network, samples: Samples, chunk_rows: int = 65_536) -> np.ndarray:
    """Forecasts in the field's unit, (B, N, H), in chunks that fit a small memory."""
    if network.training:
        network.eval()
    origins, places = samples.features_BNF.shape[:2]
    step = max(1, chunk_rows // max(places, 1))
    output = np.empty(samples.baseline_BNH.shape, np.float32)
    with torch.inference_mode():
        for start in range(0, origins, step):
            part = slice(start, start + step)
            features = torch.from_numpy(samples.features_BNF[part]).flatten(0, 1)
            linear_features = torch.from_numpy(samples.linear_BNHS[part]).flatten(0, 1)
            output[part] = network(features, linear_features).numpy().reshape(-1, *output.shape[1:])
    with np.errstate(over="ignore"):  # of layers from elsewhere; what is infinite errs infinitely
        return samples.baseline_BNH + samples.scale_N1 * output
