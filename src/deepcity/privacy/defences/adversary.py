"""An adversarial decoder: it learns to rebuild the inputs, and the encoder to mislead it.

Through a layer that turns gradients round (Ganin and Lempitsky 2015): one backward pass trains the
decoder for its error and the encoder against it. To keep what the task needs and nothing by which
the inputs are rebuilt is a reading of the information bottleneck (Tishby and Zaslavsky 2015). The
decoder is the agency's own and never leaves it. An attacker's decoder may be a better one:
`deepcity audit` trains fresh ones.

Shapes: R rows, X inputs, D released numbers.
"""

import torch
from torch import Tensor, nn

_WIDTH = 64
_RATE = 1e-2
_AHEAD = 4  # steps of the decoder before each of the encoder


def reverse_gradient(value: Tensor, weight: float) -> Tensor:
    """The same value; its gradient comes back times -weight."""
    return (1 + weight) * value.detach() - weight * value


class Adversary(nn.Module):
    """A decoder (R, D) -> (R, X), trained in turn with the encoder."""

    def __init__(self, inputs: int, width: int, seed: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.decoder = nn.Sequential(
                nn.Linear(width, _WIDTH), nn.GELU(), nn.Linear(_WIDTH, inputs)
            )
        self._optimizer = torch.optim.AdamW(
            self.parameters(), lr=_RATE, weight_decay=0.0, foreach=True
        )

    def loss(self, rows_RX: Tensor, activations_RD: Tensor, weight: float) -> Tensor:
        """Its error as a share of the rows' variance: 1 is no better than their mean."""
        for _ in range(_AHEAD):  # one that lags behind the encoder is misled by turning alone
            self._error(rows_RX, activations_RD.detach()).backward()  # type: ignore[no-untyped-call]
            self.step()
        return self._error(rows_RX, reverse_gradient(activations_RD, weight))

    def _error(self, rows_RX: Tensor, activations_RD: Tensor) -> Tensor:
        away_RX = rows_RX - rows_RX.mean(0)
        error = (self.decoder(activations_RD) - rows_RX).square().mean()
        share: Tensor = error / away_RX.square().mean().clamp(min=1e-6)
        return share

    def step(self) -> None:
        """One step down the gradient of the last loss; call it after `backward`."""
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
