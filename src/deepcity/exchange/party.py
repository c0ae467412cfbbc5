"""A party's side of learning together: it trains on its own rows and answers with layers.

Verbs: ``join`` (how many rows, features and horizon steps), ``train`` (take in common
layers, train one round, give back the layers of its level), ``look`` (take in, validate).
Raw rows, scaling, anchors and validation data have no message to leave by.
"""

import math
from dataclasses import dataclass

from deepcity.city.errors import ExchangeError
from deepcity.city.level import layers_up_to
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.strategies import PROXIMAL
from deepcity.learning.learner import Learner

JOIN, TRAIN, LOOK = "join", "train", "look"
ROWS, FEATURES, ERROR, LOSS = "rows", "features", "error", "loss"
NUMBERS = frozenset({ROWS, FEATURES, ERROR, LOSS})
"""All the numbers that a party ever says."""


@dataclass(frozen=True)
class LearningParty:
    """Answers the coordinator for one learner at one reuse level."""

    learner: Learner
    level: int
    common_stem: bool = False

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message.

        Raises:
            ExchangeError: if the caller is not the coordinator, the verb is unknown, or it
                brings layers that are this party's own.
            LayerPackageError: if the layers do not fit; the learner is unchanged then.
        """
        if caller != COORDINATOR:
            msg = f"{caller} may not ask for {message.verb!r}; only the coordinator leads rounds"
            raise ExchangeError(msg)
        self._check(message)
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

    def _check(self, message: Message) -> None:
        """Refuse layers that this party does not hold in common, and numbers that are none."""
        common = layers_up_to(self.level, common_stem=self.common_stem)
        foreign = [name for name in message.layers if name not in common]
        if foreign:
            msg = (
                f"{', '.join(foreign)} may not be overwritten from outside: at level "
                f"{self.level} only {', '.join(common) or 'nothing'} is in common"
            )
            raise ExchangeError(msg)
        needed = (ROUND, PROXIMAL) if message.verb == TRAIN else ()
        for name in needed:
            number = message.numbers.get(name, 0.0 if name == PROXIMAL else math.nan)
            if not math.isfinite(number) or number < 0:
                msg = f"{message.verb!r} needs {name} as a number >= 0, not {number}"
                raise ExchangeError(msg)

    def _train(self, message: Message) -> Message:
        error = self.learner.receive(message.layers)
        loss = self.learner.train_round(
            int(message.numbers[ROUND]), proximal=message.numbers.get(PROXIMAL, 0.0)
        )
        common = layers_up_to(self.level, common_stem=self.common_stem)
        names = [name for name in common if name not in self.learner.frozen]  # no news in those
        return Message(TRAIN, {ERROR: error, LOSS: loss}, self.learner.export(names))
