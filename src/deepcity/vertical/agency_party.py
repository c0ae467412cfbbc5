"""An agency's answers in vertical training: activations for requested origins.

Verbs:

    handshake  its cells and the width of its activations. With a run's number the agency begins
               that run with a copy of its pretrained encoder, or resumes its own checkpoint; with
               `older`, its newest one up to that round, or the pretrained encoder
    forward    activations for origins. With the best round so far, a snapshot of this round is
               kept, and those of rounds that are neither are dropped
    backward   apply gradients for the origins of the last forward pass
    restore    restore the snapshot of a round, so that the activations match the coordinator's
               network of its best round
    loss       only where the agency holds the labels: the gradient of the loss, or the loss
    package    write the encoder into the agency's own folder; only its version leaves

No message carries rows, scaling, the stem, the optimizer state or place names.
"""

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Ints
from deepcity.city.errors import CheckpointError, DeepCityError, ExchangeError, GrantError
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.vertical.names import (
    BACKWARD,
    BEST,
    CADENCE_S,
    CELLS,
    DEEP,
    ERROR,
    FORECAST,
    FORWARD,
    GRADIENTS,
    HANDSHAKE,
    KNOWN,
    LEVEL,
    LOSS,
    OLDER,
    PACKAGE,
    PHASE_S,
    RATE,
    RESTORE,
    ROWS,
    RUN,
    STEP_S,
    STEPS,
    TIMES,
    VECTORS,
    VERSION,
    WIDTH,
)
from deepcity.learning.split.agency_learner import AgencyLearner
from deepcity.learning.split.encoder_package import EncoderPackage, TimeGrid
from deepcity.learning.split.labels import Labels
from deepcity.privacy.deep_grant import DeepGrant
from deepcity.privacy.defences.release import KEY_BYTES, release_stream, release_times
from deepcity.store.checkpoint import CheckpointStore

_MANY = 1_000_000  # more than the gradient messages of a round
_MOST_GRADIENT = 1e6  # a mean error's gradient is far below; beyond, single precision overflows
_ENCODER = "encoder"
_log = logging.getLogger(__name__)


@dataclass
class AgencyParty:
    """Answers one application for one agency.

    Attributes:
        learner: encodes the agency's own rows, in the current run.
        grant: what may leave; checked before every answer.
        service: the purpose for which activations are granted.
        application: the only caller that is answered.
        labels: computes the loss where the agency holds the labels.
        checkpoints: the agency's own; None: snapshots are kept in memory only.
        name: prefix of its checkpoints; unique to a map, seed and set of records.
        save: writes the encoder into the agency's own folder; None: it has none.
    """

    learner: AgencyLearner
    grant: DeepGrant
    service: str
    application: str
    labels: Labels | None = None
    checkpoints: CheckpointStore | None = None
    name: str = ""
    save: Callable[[AgencyLearner, TimeGrid], EncoderPackage] | None = None
    _pretrained: AgencyLearner | None = None
    _run: int = 0
    _last_times: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    _calls: tuple[int, int] = (-1, 0)

    @property
    def run(self) -> int:
        """Number of the run that it is in; 0: none."""
        return self._run

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message.

        Raises:
            GrantError: if the grant does not allow the answer.
            ExchangeError: if the caller is not the application, the verb is unknown or its
                arrays do not fit; details of an internal failure go to the agency's log only.
        """
        if caller != self.application:
            raise ExchangeError(
                f"{caller} may not call {message.verb!r}; only {self.application} may"
            )
        answers = {
            HANDSHAKE: self._handshake,
            FORWARD: self._forward,
            BACKWARD: self._backward,
            RESTORE: self._restore,
            LOSS: self._loss,
            PACKAGE: self._package,
        }
        if message.verb not in answers:
            raise ExchangeError(f"unknown verb {message.verb!r}; known: {', '.join(answers)}")
        settings = self.learner.settings
        if self.grant.agency != self.learner.name:
            raise GrantError(
                f"the grant was issued by {self.grant.agency}, not by {self.learner.name}; "
                f"ask {self.learner.name} for a grant"
            )
        self.grant.check(self.service, settings.level, settings.width)
        try:
            return answers[message.verb](message)
        except DeepCityError:
            raise
        except Exception as error:
            _log.warning("%s failed at %r", self.learner.name, message.verb, exc_info=True)
            raise ExchangeError(
                f"{self.learner.name} failed with {type(error).__name__}; see its log"
            ) from None

    def _handshake(self, message: Message) -> Message:
        if RUN in message.numbers:
            rounds, older = int(message.numbers.get(ROUND, 0.0)), OLDER in message.numbers
            self._begin(int(message.numbers[RUN]), rounds, older=older)
        settings = self.learner.settings
        numbers = {WIDTH: float(settings.width), LEVEL: float(settings.level)}
        return Message(HANDSHAKE, numbers, {CELLS: {CELLS: self.learner.columns.cells.cell_C}})  # type: ignore[dict-item]

    def _begin(self, run: int, rounds: int, *, older: bool = False) -> None:
        """Begin a run from the pretrained encoder, or from the checkpoint after `rounds` rounds.

        Args:
            older: whether an older checkpoint will do, or none: it was away when others trained.

        Raises:
            ExchangeError: if there is no checkpoint of that round; the current run stays as it is.
            CheckpointError: if the checkpoint is damaged.
        """
        pretrained = self._pretrained or self.learner
        learner = pretrained.copy()
        if rounds:
            name = self._checkpoint_name(run)
            found = self.checkpoints.load_at(name, rounds) if self.checkpoints else None
            if not older and (found is None or found.round != rounds):
                raise ExchangeError(
                    f"{self.learner.name} has no checkpoint of run {run}, round {rounds}"
                )
            if found is not None:
                learner.restore(found.arrays[_ENCODER], int(found.values[BEST]))
                learner.snapshot(found.round - 1, int(found.values[BEST]))
        self._pretrained, self.learner, self._run = pretrained, learner, run
        self._last_times, self._calls = self._last_times[:0], (-1, 0)

    def _snapshot(self, number: int, best: int) -> None:
        """Keep the encoder of a round; a checkpoint that cannot be written is only logged."""
        self.learner.snapshot(number, best)
        if self.checkpoints is None:
            return
        arrays = {_ENCODER: self.learner.state(best)}
        try:
            self.checkpoints.save(
                self._checkpoint_name(self._run), number + 1, arrays, {BEST: best}
            )
        except CheckpointError:
            _log.warning(
                "%s could not write its checkpoint of round %d", self.name, number, exc_info=True
            )

    def _checkpoint_name(self, run: int) -> str:
        return f"{self.name}.run-{run}"

    def _forward(self, message: Message) -> Message:
        defences = self.learner.settings.defences
        times_B = release_times(_array(message, TIMES, TIMES, np.int64, 1), defences)
        self._last_times = times_B
        batch = self.learner.encode(times_B)
        # fresh noise for each message: equal noise would cancel where an encoder has moved
        key = secrets.token_bytes(KEY_BYTES)
        released_BCD = release_stream(batch.vectors_BCD, batch.known_BC, times_B, defences, key)
        if BEST in message.numbers:
            self._snapshot(int(message.numbers[ROUND]), int(message.numbers[BEST]))
        # activations of a cell without recent rows still encode earlier days: zeros leave instead
        vectors_BCD = np.where(batch.known_BC[..., None], released_BCD, np.float32(0))
        return Message(FORWARD, {}, {DEEP: {VECTORS: vectors_BCD, KNOWN: batch.known_BC}})  # type: ignore[dict-item]

    def _backward(self, message: Message) -> Message:
        gradient_BCD = _array(message, GRADIENTS, VECTORS, np.float32, 3)
        cells = len(self.learner.columns.cells.cell_C)
        expected = (len(self._last_times), cells, self.learner.settings.width)
        if gradient_BCD.shape != expected or not np.isfinite(gradient_BCD).all():
            raise ExchangeError(
                f"gradients of shape {gradient_BCD.shape} do not match the last forward pass of "
                f"{self.learner.name}, {expected}, or are not finite; call {FORWARD!r} first"
            )
        if (most := float(np.abs(gradient_BCD).max(initial=0))) > _MOST_GRADIENT:
            raise ExchangeError(f"a gradient of {most:.3g}; at most {_MOST_GRADIENT:g} is applied")
        steps = max(1, int(message.numbers.get(STEPS, 1.0)))
        rate = min(1.0, max(0.0, message.numbers.get(RATE, 1.0)))
        self.learner.apply_gradients(
            self._last_times, gradient_BCD, steps, self._seed(message), rate
        )
        return Message(BACKWARD)

    def _seed(self, message: Message) -> int:
        """A seed for each gradient message of a round; the same when the round is repeated."""
        number = int(message.numbers.get(ROUND, 0.0))
        self._calls = (number, self._calls[1] + 1 if self._calls[0] == number else 0)
        return number * _MANY + self._calls[1]

    def _restore(self, message: Message) -> Message:
        self.learner.restore_snapshot(int(message.numbers.get(ROUND, -1.0)))
        return Message(RESTORE)

    def _loss(self, message: Message) -> Message:
        if self.labels is None:
            raise ExchangeError(f"{self.learner.name} holds no labels; call the agency that does")
        forecast_BNH = _array(message, FORECAST, FORECAST, np.float32, 3)
        if ROWS not in message.layers:
            return Message(LOSS, {ERROR: self.labels.error(forecast_BNH)})
        gradient = self.labels.gradient(_array(message, ROWS, ROWS, np.int64, 1), forecast_BNH)
        return Message(LOSS, {}, {GRADIENTS: {FORECAST: gradient}})

    def _package(self, message: Message) -> Message:
        if self.save is None:
            raise ExchangeError(
                f"{self.learner.name} has no folder for its encoder; call `use_folder` first"
            )
        grid = TimeGrid(int(message.numbers[STEP_S]), int(message.numbers[PHASE_S]))
        package = self.save(self.learner, grid)
        version = np.frombuffer(bytes.fromhex(package.version), np.uint8)
        cadence_s = float(self.learner.settings.defences.cadence_s)
        numbers = {STEP_S: float(package.facts.step_s), CADENCE_S: cadence_s}
        return Message(PACKAGE, numbers, {VERSION: {VERSION: version}})  # type: ignore[dict-item]


def _array(message: Message, group: str, name: str, dtype: type, dims: int) -> NDArray:  # type: ignore[type-arg]
    """One array of a message.

    Raises:
        ExchangeError: if it is missing, or has another type or number of dimensions.
    """
    found = message.layers.get(group, {}).get(name)
    if found is None or found.dtype != dtype or found.ndim != dims:
        what = "missing" if found is None else f"{found.dtype} of shape {found.shape}"
        expected = f"{dims} dimensions of {dtype.__name__}"
        raise ExchangeError(f"{message.verb!r} needs {group}/{name} with {expected}; it is {what}")
    return found
