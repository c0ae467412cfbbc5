"""Attacks on updates of one step, by batch size and lowest shared layer, as results.

Rows of days that the network never learned from are the batch. What is rebuilt is what entered the
lowest shared layer: of the stem the inputs themselves, of a hidden layer the normalised activation
of the layer below it, which reveals of a window what that layer's row in the window attacks says.

Shapes: R rows, D numbers that enter a layer.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from deepcity.audit.effort import Effort
from deepcity.audit.gradients.closed_form import coefficients_r2
from deepcity.audit.gradients.invert import analytic, match
from deepcity.audit.gradients.updates import (
    Batch,
    entering,
    gradients,
    residual,
)
from deepcity.audit.results import GradientAttack, GradientLeak
from deepcity.city.arrays import Floats
from deepcity.city.level import STEM
from deepcity.data.windows import Span
from deepcity.learning.features.inputs import Inputs, Samples
from deepcity.learning.networks.network import Hidden, Network

BATCHES = (1, 4, 16)
LOWEST = (STEM, "h1", "h3", "h5")
_USUAL_ROWS = 500
_ORIGINS = 3_000  # of each span
_RATIOS = 40  # updates attacked analytically, which costs little
_GROUPS = 250
_LEAST = 1e-9
_ANALYTIC, _MATCHING = GradientAttack.ANALYTIC, GradientAttack.MATCHING
_DIGITS = 4


@dataclass(frozen=True, eq=False)
class UpdateVictim:
    """A network and the rows of its updates.

    Attributes:
        learned: rows that it learned from; what attackers learn from.
        attacked: rows that it did not.
        mae_weight: of the loss that it is trained by.
    """

    network: Network
    learned: Samples
    attacked: Samples
    mae_weight: float

    @staticmethod
    def of(
        network: Network, inputs: Inputs, train: Span, aside: Span, mae_weight: float
    ) -> "UpdateVictim":
        """Those of a party's network; layers that it keeps frozen count as trained."""
        window = inputs.settings
        first = range(train.start + window.history, train.end - window.horizon)
        later = range(aside.start, aside.end - window.horizon)
        learned, attacked = (
            inputs.samples(np.arange(len(rows))[:: max(1, len(rows) // _ORIGINS)] + rows.start)
            for rows in (first, later)
        )
        trained = copy.deepcopy(network).requires_grad_(requires_grad=True)
        trained.eval()
        return UpdateVictim(trained, learned, attacked, mae_weight)


def audit_updates(
    victim: UpdateVictim, lowest: str, effort: Effort, seed: int
) -> list[GradientLeak]:
    """Every attack on updates whose lowest shared layer is this one."""
    found = []
    seeds = range(seed, seed + effort.seeds)
    for batch in BATCHES:
        for attack, updates in ((_ANALYTIC, _RATIOS), (_MATCHING, effort.updates)):
            r2s = [
                _r2(
                    [
                        _update(victim, lowest, attack, batch, effort, one * 1_000 + number)
                        for number in range(updates)
                    ],
                    _usual(victim, lowest, one),
                )
                for one in seeds
            ]
            found.append(_leak(attack, lowest, batch, r2s, updates))
    return found


def audit_ridge_part(victim: UpdateVictim, effort: Effort, seed: int) -> list[GradientLeak]:
    """What the coefficients of the ridge part reveal, by the rows that they were fitted to."""
    found = []
    for batch in BATCHES:
        r2s = [
            coefficients_r2(victim.learned, victim.attacked, batch, _GROUPS, seed + more)
            for more in range(effort.seeds)
        ]
        found.append(_leak(GradientAttack.CLOSED_FORM, "ridge", batch, r2s, _GROUPS))
    return found


@dataclass(frozen=True, eq=False)
class _Update:
    """What an attack on one update found, and what had entered the lowest shared layer."""

    rebuilt_RD: Floats
    true_RD: Floats


def _update(
    victim: UpdateVictim,
    lowest: str,
    attack: GradientAttack,
    batch: int,
    effort: Effort,
    seed: int,
) -> _Update:
    rows, network = Batch.of(victim.attacked, batch, seed), victim.network
    entered_RD, rest_RH = entering(network, rows, lowest), residual(network, rows)
    found = gradients(network, entered_RD, rest_RH, lowest, victim.mae_weight)
    true_RD = _normed(network, entered_RD, lowest).numpy()
    if attack is _ANALYTIC:
        ratio = analytic(found, lowest)[None].numpy()
        return _Update(np.repeat(ratio, len(rows), axis=0), true_RD)
    start, horizon = _start(victim, lowest, len(rows), seed), rest_RH.shape[1]
    steps = effort.matching_steps
    inputs = match(network, found, start, horizon, lowest, victim.mae_weight, steps)
    return _Update(_normed(network, inputs, lowest).numpy(), true_RD)


def _r2(updates: Sequence[_Update], usual_D: Floats) -> float:
    """R² over all updates together, against the mean of days learned from: few rows have no mean
    worth naming.
    """
    rebuilt = np.concatenate([_in_order(one.rebuilt_RD, one.true_RD) for one in updates])
    true = np.concatenate([one.true_RD for one in updates])
    wrong, whole = np.square(rebuilt - true).sum(), np.square(true - usual_D).sum()
    return float(1 - wrong / max(float(whole), _LEAST))


def _usual(victim: UpdateVictim, lowest: str, seed: int) -> Floats:
    """The mean of what enters on days learned from, (D,)."""
    batch = Batch.of(victim.learned, _USUAL_ROWS, seed)
    entered = entering(victim.network, batch, lowest)
    return np.asarray(_normed(victim.network, entered, lowest).numpy().mean(axis=0))


def _normed(network: Network, entered_RD: Tensor, lowest: str) -> Tensor:
    """What the first linear layer sees: of a hidden layer, after its normalisation."""
    layer = network.layer(lowest)
    if not isinstance(layer, Hidden):
        return entered_RD
    with torch.no_grad():
        normed: Tensor = layer.norm(entered_RD)
        return normed


def _start(victim: UpdateVictim, lowest: str, rows: int, seed: int) -> Tensor:
    """Where gradient matching begins: the mean of what enters on days learned from, with noise."""
    batch = Batch.of(victim.learned, _USUAL_ROWS, seed)
    entered = entering(victim.network, batch, lowest)
    mean, spread = entered.mean(0), entered.std(0)
    noise = np.random.default_rng(seed).normal(size=(rows, entered.shape[1])).astype(np.float32)
    return mean + 0.3 * spread * torch.from_numpy(noise)


def _in_order(windows_RX: Floats, truth_RX: Floats) -> Floats:
    """Rebuilt rows, each given to the true row it is nearest to, one to one: the order of rows in a
    batch is nobody's secret.
    """
    distance = np.square(windows_RX[:, None] - truth_RX[None]).sum(-1)
    found = np.empty_like(truth_RX)
    for _ in range(len(truth_RX)):
        mine, theirs = np.unravel_index(distance.argmin(), distance.shape)
        found[theirs] = windows_RX[mine]
        distance[mine], distance[:, theirs] = np.inf, np.inf
    return found


def _leak(
    attack: GradientAttack,
    lowest: str,
    batch: int,
    r2s: Sequence[float],
    updates: int,
) -> GradientLeak:
    spread = round(float(np.std(r2s, ddof=1)), _DIGITS) if len(r2s) > 1 else None
    return GradientLeak(
        attack=attack,
        lowest=lowest,
        batch=batch,
        r2=round(float(np.mean(r2s)), _DIGITS),
        r2_spread=spread,
        updates=updates,
    )
