"""A site's side of federated training: it trains on its own rows, and sends layers.

Verbs: ``join`` (start; returns the number of rows), ``train`` (receive common layers, train one
round, save a checkpoint, return the layers of its level), ``evaluate`` (receive, validate),
``status`` (the round of its checkpoint), ``restore`` (resume from it), ``finish`` (return to the
best state). No message carries raw rows, scaling, typical days or validation data.
"""

import math
from dataclasses import dataclass

from deepcity.city.errors import ExchangeError
from deepcity.city.level import layers_up_to
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.profile import PROFILE_NUMBERS
from deepcity.exchange.strategies import PROXIMAL
from deepcity.learning.training.learner import Learner
from deepcity.store.checkpoint import Checkpoint, CheckpointStore

JOIN, TRAIN, EVALUATE = "join", "train", "evaluate"
START, CHOOSE = "start", "choose"
"""Verbs around the rounds, which a site answers itself: layers that a training starts from, and the
choice of its level afterwards."""
RESULT, JSON = "result", "json"
"""A layer that holds results as JSON, in an array of bytes."""
STATUS, RESTORE, FINISH = "status", "restore", "finish"
ROWS, FEATURES, ERROR, LOSS = "rows", "features", "error", "loss"
NUMBERS = frozenset({ROWS, FEATURES, ERROR, LOSS, ROUND}) | PROFILE_NUMBERS
"""All the numbers that a site ever sends."""
_STATE = "learner"


@dataclass(frozen=True)
class LearningParty:
    """Answers the coordinator for one learner at one reuse level, in one training.

    Attributes:
        checkpoints: the site's own, written before each answer to ``train``; None keeps none.
        training: name of its checkpoints.
    """

    learner: Learner
    level: int
    common_stem: bool = False
    checkpoints: CheckpointStore | None = None
    training: str = "training"

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message.

        Raises:
            ExchangeError: if the caller is not the coordinator, the verb is unknown, a number is
                missing, or the message holds layers that are private to this party.
            LayerPackageError: if the layers do not fit; the learner is unchanged then.
            CheckpointError: if the checkpoint to restore is damaged, or a new one cannot be
                written.
        """
        if caller != COORDINATOR:
            raise ExchangeError(
                f"{caller} may not ask for {message.verb!r}; only the coordinator leads rounds"
            )
        answers = {
            JOIN: self._join,
            TRAIN: self._train,
            EVALUATE: self._evaluate,
            STATUS: self._status,
            RESTORE: self._restore,
            FINISH: self._finish,
        }
        if message.verb not in answers:
            raise ExchangeError(f"no verb {message.verb!r}; a party answers {', '.join(answers)}")
        self._check(message)
        return answers[message.verb](message)

    def _check(self, message: Message) -> None:
        """Refuse layers that are not common, and required numbers that are missing or invalid."""
        common = layers_up_to(self.level, common_stem=self.common_stem)
        foreign = [name for name in message.layers if name not in common]
        if foreign:
            raise ExchangeError(
                f"{', '.join(foreign)} may not be overwritten from outside: at level "
                f"{self.level} only {', '.join(common) or 'nothing'} is in common"
            )
        needed = {TRAIN: (ROUND, PROXIMAL), STATUS: (ROUND,), RESTORE: (ROUND,)}
        for name in needed.get(message.verb, ()):
            number = message.numbers.get(name, 0.0 if name == PROXIMAL else math.nan)
            if not math.isfinite(number) or number < 0:
                raise ExchangeError(f"{message.verb!r} needs {name} as a number >= 0, not {number}")

    def _join(self, _message: Message) -> Message:
        if self.checkpoints is not None:
            self.checkpoints.forget(self.training)
        data = self.learner.data
        features = data.train.features_BNF.shape[-1]
        return Message(JOIN, {ROWS: float(data.rows), FEATURES: float(features)})

    def _evaluate(self, message: Message) -> Message:
        return Message(EVALUATE, {ERROR: self.learner.receive(message.layers)})

    def _train(self, message: Message) -> Message:
        number = int(message.numbers[ROUND])
        error = self.learner.receive(message.layers)
        proximal = message.numbers.get(PROXIMAL, 0.0)
        loss = self.learner.train_round(number, proximal=proximal)
        if self.checkpoints is not None:
            state = {_STATE: self.learner.state()}
            self.checkpoints.save(self.training, number + 1, state, {})
        common = layers_up_to(self.level, common_stem=self.common_stem)
        names = [name for name in common if name not in self.learner.frozen]  # these never change
        return Message(TRAIN, {ERROR: error, LOSS: loss}, self.learner.export(names))

    def _kept(self, message: Message) -> Checkpoint | None:
        if self.checkpoints is None:
            return None
        return self.checkpoints.load_at(self.training, int(message.numbers[ROUND]))

    def _status(self, message: Message) -> Message:
        found = self._kept(message)
        return Message(STATUS, {ROUND: float(found.round) if found else 0.0})

    def _restore(self, message: Message) -> Message:
        found = self._kept(message)
        if found is not None:
            self.learner.restore(found.arrays[_STATE])
        return Message(RESTORE, {ROUND: float(found.round) if found else 0.0})

    def _finish(self, _message: Message) -> Message:
        self.learner.keep_best()
        return Message(FINISH)
