"""A party's side of learning together: it trains on its own rows and answers with layers.

Verbs: ``join`` (how many rows, features and horizon steps), ``train`` (take in common
layers, train one round, give back the layers of its level), ``look`` (take in, validate).
Raw rows, scaling, anchors and validation data have no message to leave by.
"""

from dataclasses import dataclass

from deepcity.city.errors import ExchangeError
from deepcity.city.level import layers_up_to
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.strategies import PROXIMAL
from deepcity.learning.learner import Learner

JOIN, TRAIN, LOOK = "join", "train", "look"
ROWS, FEATURES, ERROR, LOSS = "rows", "features", "error", "loss"


@dataclass(frozen=True)
class LearningParty:
    """Answers the coordinator for one learner at one reuse level."""

    learner: Learner
    level: int
    common_stem: bool = False

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message.

        Raises:
            ExchangeError: if the caller is not the coordinator, or the verb is unknown.
            LayerPackageError: if the layers do not fit; the learner is unchanged then.
        """
        if caller != COORDINATOR:
            msg = f"{caller} may not ask for {message.verb!r}; only the coordinator leads rounds"
            raise ExchangeError(msg)
        if message.verb == JOIN:
            data = self.learner.data
            features = data.train.features_BNF.shape[-1]
            return Message(JOIN, {ROWS: float(data.rows), FEATURES: float(features)})
        if message.verb == LOOK:
            return Message(LOOK, {ERROR: self.learner.receive(message.layers)})
        if message.verb == TRAIN:
            return self._train(message)
        msg = f"no verb {message.verb!r}; a party answers {JOIN}, {TRAIN} and {LOOK}"
        raise ExchangeError(msg)

    def _train(self, message: Message) -> Message:
        error = self.learner.receive(message.layers)
        loss = self.learner.train_round(
            int(message.numbers[ROUND]), proximal=message.numbers.get(PROXIMAL, 0.0)
        )
        names = layers_up_to(self.level, common_stem=self.common_stem)
        return Message(TRAIN, {ERROR: error, LOSS: loss}, self.learner.export(names))
