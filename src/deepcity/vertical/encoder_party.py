"""Federated pretraining of encoders between agencies of the same kind in several cities.

An encoder is pretrained on its own columns (`deepcity.learning.split.agency_learner`), so the
weather offices of three cities can share h1..hk of their encoders by the protocol by which
cities share layers of their networks: reuse level k below the cut level c. Stems, bottlenecks
and statistics stay private.
"""

from dataclasses import dataclass

from deepcity.city.arrays import Ints
from deepcity.city.errors import ExchangeError
from deepcity.city.level import Layers, layers_up_to
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import ERROR, EVALUATE, FEATURES, JOIN, LOSS, ROWS, TRAIN
from deepcity.learning.split.agency_learner import AgencyLearner


@dataclass(frozen=True)
class EncoderParty:
    """Answers the coordinator for one agency's encoder.

    Attributes:
        level: h1..h`level` of its encoder are shared.
        times_B: training origins, UTC seconds.
        steps: local steps in a round.
    """

    learner: AgencyLearner
    level: int
    times_B: Ints
    steps: int

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message.

        Raises:
            ExchangeError: if the caller is not the coordinator, the verb is unknown, or the
                message carries layers that are not shared.
            LayerPackageError: if layers do not fit; the encoder is unchanged then.
        """
        if caller != COORDINATOR:
            raise ExchangeError(f"{caller} may not call {message.verb!r}; only the coordinator may")
        common = layers_up_to(self.level)
        if foreign := [name for name in message.layers if name not in common]:
            raise ExchangeError(
                f"{', '.join(foreign)} may not be overwritten: only {', '.join(common)} may"
            )
        if message.verb == JOIN:
            inputs = self.learner.columns.width
            return Message(JOIN, {ROWS: float(len(self.times_B)), FEATURES: float(inputs)})
        self.learner.start_from(message.layers)
        if message.verb == EVALUATE:
            return Message(EVALUATE, {ERROR: self.learner.pretrain(self.times_B, 0)})
        if message.verb == TRAIN:
            return self._train(int(message.numbers.get(ROUND, 0.0)), common)
        raise ExchangeError(f"unknown verb {message.verb!r}; known: {JOIN}, {TRAIN}, {EVALUATE}")

    def _train(self, number: int, common: tuple[str, ...]) -> Message:
        loss = self.learner.pretrain(self.times_B, self.steps, seed=number)
        layers: Layers = self.learner.export(common)
        return Message(TRAIN, {ERROR: loss, LOSS: loss}, layers)
