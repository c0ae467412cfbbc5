"""A site's side of sparse moves: around its handler, with what was left out as state.

What is left is kept beside the learner's checkpoints, so that a killed run goes on to the same
end. A layer that was not received in the round is sent whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from deepcity.city.arrays import Floats
from deepcity.city.level import Layers, Tensors
from deepcity.exchange.compression.sparse_moves import (
    SparseLayerError,
    SparseMoves,
    densified,
    is_sparse,
)
from deepcity.exchange.exchange import Failure, Handler
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import JOIN, RESTORE, TRAIN
from deepcity.exchange.precision import lower_precision, restore_precision
from deepcity.store.checkpoint import CheckpointStore

_RESIDUAL = "residual"


@dataclass
class SparseParty:
    """A handler around a site's own, whose layers leave as sparse moves.

    Attributes:
        inner: its layers must have passed the grant already.
        checkpoints, training: where what is left is kept; None keeps it in memory alone.
    """

    inner: Handler
    moves: SparseMoves
    checkpoints: CheckpointStore | None = None
    training: str = "training"
    _residual: dict[str, Floats] = field(default_factory=dict)

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message.

        Raises:
            DeepCityError: as the handler inside.
        """
        answer = self.inner.handle(message, caller)
        if message.verb == TRAIN:
            return self._sparsified(message, answer)
        if message.verb == JOIN:
            self._residual = {}
            if self.checkpoints is not None:
                self.checkpoints.forget(self._name)
        if message.verb == RESTORE and self.checkpoints is not None:
            found = self.checkpoints.load_at(self._name, int(message.numbers[ROUND]))
            self._residual = {} if found is None else dict(found.arrays.get(_RESIDUAL, {}))
        return answer

    @property
    def _name(self) -> str:
        return f"{self.training}.residual"

    def _sparsified(self, message: Message, answer: Message) -> Message:
        sent: dict[str, Tensors] = {}
        residual: dict[str, Floats] = {}
        for layer, tensors in answer.layers.items():
            received = message.layers.get(layer)
            if received is None:
                sent[layer] = tensors
            else:
                sent[layer], residual[layer] = self.moves.sparsify(
                    tensors, received, self._residual.get(layer)
                )
        self._residual = residual
        if self.checkpoints is not None:
            self.checkpoints.save(
                self._name, int(message.numbers[ROUND]) + 1, {_RESIDUAL: residual}, {}
            )
        return replace(answer, layers=sent)


def densified_updates(
    updates: Mapping[str, Layers], outgoing: Mapping[str, Layers], moves: SparseMoves
) -> tuple[dict[str, Layers], list[Failure]]:
    """Updates as whole layers, and who sent moves that give none.

    Args:
        outgoing: party -> the layers that went to it in this round.
    """
    found: dict[str, Layers] = {}
    refused: list[Failure] = []
    for party, layers in updates.items():
        sent = lower_precision(Message(TRAIN, {}, outgoing[party]), moves.precision)
        received = restore_precision(sent).layers
        try:
            found[party] = {
                layer: densified(tensors, received.get(layer, {}))
                if is_sparse(tensors)
                else tensors
                for layer, tensors in layers.items()
            }
        except SparseLayerError as error:
            refused.append(Failure(party, f"its update is left out of this round: {error}"))
    return found, refused
