"""A site's side of federated training: it trains on its own rows, and sends layers.

Verbs: ``join`` (start; returns the number of rows), ``train`` (receive common layers, train one
round, save a checkpoint, return the layers of its level), ``collect`` (return once more what its
newest round gave), ``validate`` (its error with another member's layers, which it then forgets),
``evaluate`` (receive, validate), ``status`` (the round of its checkpoint),
``restore`` (resume from it), ``finish`` (return to the best state). No message carries raw rows,
scaling, typical days or validation data.

Layers that lie far from its own are not used (`deepcity.exchange.trust.layer_distance`).
"""

import logging
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from deepcity.city.errors import ExchangeError
from deepcity.city.level import Layers, layers_up_to
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.profile import PROFILE_NUMBERS
from deepcity.exchange.strategies import PROXIMAL
from deepcity.exchange.trust.layer_distance import MOST_MOVED, UNUSED, distance, unused_numbers
from deepcity.learning.training.training_state import Arrays
from deepcity.store.checkpoint import Checkpoint, CheckpointStore

JOIN, TRAIN, COLLECT, VALIDATE, EVALUATE = "join", "train", "collect", "validate", "evaluate"
START, CHOOSE = "start", "choose"
"""Verbs around the rounds, which a site answers itself: layers that a training starts from, and the
choice of its level afterwards."""
RESULT, JSON = "result", "json"
"""A layer that holds results as JSON, in an array of bytes."""
STATUS, RESTORE, FINISH = "status", "restore", "finish"
ROWS, FEATURES, ERROR, LOSS = "rows", "features", "error", "loss"
NUMBERS = frozenset({ROWS, FEATURES, ERROR, LOSS, ROUND, UNUSED}) | PROFILE_NUMBERS
"""All the numbers that a site ever sends."""
_STATE = "learner"
_log = logging.getLogger(__name__)


class RoundLearner(Protocol):
    """What is trained in rounds, whatever it learns: forecasts, or who is on a picture."""

    @property
    def party(self) -> str:
        """Its name."""
        ...

    @property
    def rows(self) -> int:
        """How much it trains on: its weight in an average."""
        ...

    @property
    def inputs(self) -> int:
        """Numbers of one input."""
        ...

    @property
    def frozen(self) -> frozenset[str]:
        """Layers that are not trained."""
        ...

    def export(self, names: Iterable[str]) -> Layers:
        """Copies of the named layers."""
        ...

    def receive(self, layers: Layers) -> float:
        """Take common layers over; the validation error with them."""
        ...

    def error_with(self, layers: Layers) -> float:
        """Validation error with these layers, which it then forgets."""
        ...

    def train_round(self, round_number: int, *, proximal: float = 0.0) -> float:
        """Local steps of one round; the mean training loss."""
        ...

    def keep_best(self) -> None:
        """Return to the best state on its validation data."""
        ...

    def state(self) -> Arrays:
        """All that changes in training."""
        ...

    def restore(self, arrays: Arrays) -> None:
        """Continue where `state` was taken."""
        ...


@dataclass(frozen=True)
class LearningParty:
    """Answers the coordinator for one learner at one reuse level, in one training.

    Attributes:
        checkpoints: the site's own, written before each answer to ``train``; None keeps none.
        training: name of its checkpoints.
        newest: round, error and loss of the training whose weights the learner has; else empty.
    """

    learner: RoundLearner
    level: int
    common_stem: bool = False
    checkpoints: CheckpointStore | None = None
    training: str = "training"
    newest: dict[str, float] = field(default_factory=dict)

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
            COLLECT: self._collect,
            VALIDATE: self._validate,
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
        needed: dict[str, tuple[str, ...]] = {TRAIN: (ROUND, PROXIMAL)}
        needed |= dict.fromkeys((COLLECT, VALIDATE, STATUS, RESTORE), (ROUND,))
        for name in needed.get(message.verb, ()):
            number = message.numbers.get(name, 0.0 if name == PROXIMAL else math.nan)
            if not math.isfinite(number) or number < 0:
                raise ExchangeError(f"{message.verb!r} needs {name} as a number >= 0, not {number}")

    def _join(self, _message: Message) -> Message:
        self.newest.clear()
        if self.checkpoints is not None:
            self.checkpoints.forget(self.training)
        rows, inputs = self.learner.rows, self.learner.inputs
        return Message(JOIN, {ROWS: float(rows), FEATURES: float(inputs)})

    def _evaluate(self, message: Message) -> Message:
        self.newest.clear()
        error, unused = self._received(message)
        return Message(EVALUATE, {ERROR: error, **unused})

    def _received(self, message: Message) -> tuple[float, dict[str, float]]:
        """Validation error with the layers sent, unless they lie too far from its own to use."""
        far = distance(self.learner.export(message.layers), message.layers)
        if far <= MOST_MOVED:
            return self.learner.receive(message.layers), {}
        _log.warning(
            "%s, %s: layers sent lie %.3g times the size of this site's own away from them; %g is "
            "the limit, so it goes on with its own. They may be crafted to read rows out of its "
            "update, or damaged: ask who runs the hub",
            self.learner.party,
            self.training,
            far,
            MOST_MOVED,
        )
        return self.learner.receive({}), unused_numbers(far)

    def _validate(self, message: Message) -> Message:
        return Message(VALIDATE, {ERROR: self.learner.error_with(message.layers)})

    def _train(self, message: Message) -> Message:
        number = int(message.numbers[ROUND])
        self.newest.clear()
        error, unused = self._received(message)
        proximal = message.numbers.get(PROXIMAL, 0.0)
        loss = self.learner.train_round(number, proximal=proximal)
        if self.checkpoints is not None:
            state = {_STATE: self.learner.state()}
            self.checkpoints.save(self.training, number + 1, state, {ERROR: error, LOSS: loss})
        self.newest.update({ROUND: float(number), ERROR: error, LOSS: loss, **unused})
        return self._update(TRAIN)

    def _collect(self, message: Message) -> Message:
        """The answer to ``train`` again, for a caller that it has not reached."""
        number = message.numbers[ROUND]
        if self.newest.get(ROUND) != number:
            known = f"the newest is {self.newest[ROUND]:g}" if self.newest else "it holds none"
            raise ExchangeError(f"there is no update of round {number:g} to collect; {known}")
        return self._update(COLLECT)

    def _update(self, verb: str) -> Message:
        """The layers of its level as the newest round left them."""
        common = layers_up_to(self.level, common_stem=self.common_stem)
        names = [name for name in common if name not in self.learner.frozen]  # these never change
        numbers = {name: self.newest[name] for name in (ERROR, LOSS, UNUSED) if name in self.newest}
        return Message(verb, numbers, self.learner.export(names))

    def _kept(self, message: Message) -> Checkpoint | None:
        if self.checkpoints is None:
            return None
        return self.checkpoints.load_at(self.training, int(message.numbers[ROUND]))

    def _status(self, message: Message) -> Message:
        found = self._kept(message)
        return Message(STATUS, {ROUND: float(found.round) if found else 0.0})

    def _restore(self, message: Message) -> Message:
        found = self._kept(message)
        self.newest.clear()
        if found is not None:
            self.learner.restore(found.arrays[_STATE])
            self.newest.update(_numbers_of_round(found.round - 1, found.values))
        return Message(RESTORE, {ROUND: float(found.round) if found else 0.0})

    def _finish(self, _message: Message) -> Message:
        self.newest.clear()
        self.learner.keep_best()
        return Message(FINISH)


def _numbers_of_round(number: int, values: Mapping[str, float]) -> dict[str, float]:
    """What `newest` holds of a checkpoint; nothing where an earlier version wrote it."""
    if not {ERROR, LOSS} <= values.keys():
        return {}
    return {ROUND: float(number), ERROR: float(values[ERROR]), LOSS: float(values[LOSS])}
