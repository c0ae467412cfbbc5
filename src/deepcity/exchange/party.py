"""A site's answers while parties learn together: it trains on its own rows, and sends layers.

Verbs: ``join`` (begin anew; how many rows), ``train`` (take in common layers, train one round,
keep the state, give back the layers of its level), ``look`` (take in, validate), ``status``
(the round it could go on from), ``restore`` (go on from there), ``finish`` (return to the best
state). Raw rows, scaling, anchors and validation data have no message to leave by.
"""

import math
from dataclasses import dataclass

from deepcity.city.errors import ExchangeError
from deepcity.city.level import layers_up_to
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.profile import PROFILE_NUMBERS
from deepcity.exchange.strategies import PROXIMAL
from deepcity.learning.learner import Learner
from deepcity.store.checkpoint import Checkpoint, CheckpointStore

JOIN, TRAIN, LOOK = "join", "train", "look"
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
        training: what its checkpoints are called there.
    """

    learner: Learner
    level: int
    common_stem: bool = False
    checkpoints: CheckpointStore | None = None
    training: str = "training"

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message.

        Raises:
            ExchangeError: if the caller is not the coordinator, the verb is unknown, or it
                brings layers that are this party's own.
            LayerPackageError: if the layers do not fit; the learner is unchanged then.
            CheckpointError: if the state it is to go on from is damaged, or the new one cannot
                be written.
        """
        if caller != COORDINATOR:
            msg = f"{caller} may not ask for {message.verb!r}; only the coordinator leads rounds"
            raise ExchangeError(msg)
        answers = {
            JOIN: self._join,
            TRAIN: self._train,
            LOOK: self._look,
            STATUS: self._status,
            RESTORE: self._restore,
            FINISH: self._finish,
        }
        if message.verb not in answers:
            msg = f"no verb {message.verb!r}; a party answers {', '.join(answers)}"
            raise ExchangeError(msg)
        self._check(message)
        return answers[message.verb](message)

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
        needed = {TRAIN: (ROUND, PROXIMAL), STATUS: (ROUND,), RESTORE: (ROUND,)}
        for name in needed.get(message.verb, ()):
            number = message.numbers.get(name, 0.0 if name == PROXIMAL else math.nan)
            if not math.isfinite(number) or number < 0:
                msg = f"{message.verb!r} needs {name} as a number >= 0, not {number}"
                raise ExchangeError(msg)

    def _join(self, _message: Message) -> Message:
        if self.checkpoints is not None:
            self.checkpoints.forget(self.training)
        data = self.learner.data
        features = data.train.features_BNF.shape[-1]
        return Message(JOIN, {ROWS: float(data.rows), FEATURES: float(features)})

    def _look(self, message: Message) -> Message:
        return Message(LOOK, {ERROR: self.learner.receive(message.layers)})

    def _train(self, message: Message) -> Message:
        number = int(message.numbers[ROUND])
        error = self.learner.receive(message.layers)
        proximal = message.numbers.get(PROXIMAL, 0.0)
        loss = self.learner.train_round(number, proximal=proximal)
        if self.checkpoints is not None:
            state = {_STATE: self.learner.state()}
            self.checkpoints.save(self.training, number + 1, state, {})
        common = layers_up_to(self.level, common_stem=self.common_stem)
        names = [name for name in common if name not in self.learner.frozen]  # no news in those
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
