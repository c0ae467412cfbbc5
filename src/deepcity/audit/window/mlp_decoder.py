"""The attacker with a small network: an MLP that corrects what the linear decoder rebuilds.

It starts as the linear decoder (its last layer at zero), so it finds what is linear at once and
spends its steps on the rest; the state with the least error on rows of its own is kept.

Shapes: R rows, D released numbers, X values of a window.
"""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from deepcity.audit.effort import Effort
from deepcity.audit.window.releases import Pairs
from deepcity.audit.window.ridge_decoder import RidgeDecoder, RidgeFit
from deepcity.city.arrays import Floats

_BATCH = 256
_RATE = 1e-3
_CHECKS = 8  # how often the validation error is taken


@dataclass(frozen=True, eq=False)
class MLPDecoder:
    """A fitted decoder: ridge and what its network adds."""

    ridge: RidgeDecoder
    network: nn.Sequential

    def rebuild(self, released_RD: Floats) -> Floats:
        """Windows, (R, X)."""
        rows = torch.from_numpy(self.ridge.standard.apply(released_RD))
        with torch.inference_mode():
            added = self.network(rows).numpy()
        return np.asarray(self.ridge.rebuild(released_RD) + added)


def fit_mlp(fit: RidgeFit, learned: Pairs, effort: Effort, seed: int) -> tuple[MLPDecoder, float]:
    """Train on the windows that ridge leaves unexplained; also the validation error.

    Args:
        learned: rows that the attacker knows, none of them among the validation rows.
    """
    ridge = fit.partial
    rows, rest = _residuals(ridge, learned)
    aside, aside_rest = _residuals(ridge, fit.validation)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        network = _network(learned, effort.mlp_width)
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=1e-2, foreach=True)
    rng = np.random.default_rng(seed)
    best, state = float(aside_rest.square().mean()), copy.deepcopy(network.state_dict())
    for step in range(1, effort.mlp_steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = _RATE * (1 - step / (effort.mlp_steps + 1))
        batch = torch.from_numpy(rng.integers(0, len(rows), _BATCH))
        loss = (network(rows[batch]) - rest[batch]).square().mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if step % max(1, effort.mlp_steps // _CHECKS) == 0:
            with torch.inference_mode():
                error = float((network(aside) - aside_rest).square().mean())
            if error < best:
                best, state = error, copy.deepcopy(network.state_dict())
    network.load_state_dict(state)
    return MLPDecoder(ridge, network), best


def _residuals(ridge: RidgeDecoder, pairs: Pairs) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows in standard units, and what ridge leaves of their windows."""
    rest = pairs.window_RX - ridge.rebuild(pairs.released_RD)
    return torch.from_numpy(ridge.standard.apply(pairs.released_RD)), torch.from_numpy(rest)


def _network(learned: Pairs, width: int) -> nn.Sequential:
    last = nn.Linear(width, learned.window_RX.shape[1])
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Linear(learned.released_RD.shape[1], width), nn.GELU(), last)
