"""What is added to an encoder's loss so that its deep data tell less of its inputs.

Shapes: R rows, X inputs, D released numbers.
"""

from torch import Tensor

from deepcity.privacy.defences.adversary import Adversary
from deepcity.privacy.defences.distance_correlation import distance_correlation, few_rows
from deepcity.privacy.defences.settings import Defences

_MOST_DISTANCES = 256  # rows of a batch whose distances are taken
_MOST_REBUILT = 1024  # rows of a batch that the adversary rebuilds


class LeakagePenalty:
    """The penalties of one encoder.

    Args of `LeakagePenalty(...)`:
        inputs, width: X and D.
        seed: of the adversary's first weights. It is in no checkpoint: a training that is resumed
            begins with a new one.
    """

    def __init__(self, defences: Defences, inputs: int, width: int, seed: int) -> None:
        self._defences = defences
        self._adversary = Adversary(inputs, width, seed) if defences.adversary else None

    def loss(self, rows_RX: Tensor, activations_RD: Tensor) -> Tensor:
        """The weighted penalties of a batch; 0 where there are none."""
        found = activations_RD.new_zeros(())
        if weight := self._defences.distance_correlation:
            few_R = few_rows(len(rows_RX), _MOST_DISTANCES)
            found = found + weight * distance_correlation(rows_RX[few_R], activations_RD[few_R])
        if self._adversary is not None:
            few_R = few_rows(len(rows_RX), _MOST_REBUILT)
            weight = self._defences.adversary
            found = found + self._adversary.loss(rows_RX[few_R], activations_RD[few_R], weight)
        return found

    def step(self) -> None:
        """After `backward` of the loss: the adversary learns."""
        if self._adversary is not None:
            self._adversary.step()
