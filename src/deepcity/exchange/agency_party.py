"""An agency's answers in vertical training: activations for the origins it is asked about.

Verbs:

    meet      which cells, how wide. With a run's number the agency begins that run with a copy
              of its pretrained encoder, or goes on from its own checkpoint of a round
    encode    activations for origins. With the best round so far it keeps a snapshot of this
              round, and drops those of rounds that are neither
    learn     apply gradients for the origins last encoded
    return    restore the snapshot of a round: the coordinator keeps its best round, and must
              receive then what it received in it
    judge     only where the agency holds the labels: the gradient of the error, or the error
    package   write the encoder into the agency's own folder; only its version leaves

Rows, scaling, the stem, the optimizer and place names have no message to leave by.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Ints
from deepcity.city.errors import CheckpointError, DeepCityError, ExchangeError, GrantError
from deepcity.exchange.message import ROUND, Message
from deepcity.learning.agency_learner import AgencyLearner
from deepcity.learning.encoder_package import EncoderPackage, TimeGrid
from deepcity.learning.labels import Labels
from deepcity.privacy.deep_grant import DeepGrant
from deepcity.store.checkpoint import CheckpointStore

MEET, ENCODE, LEARN, RETURN, JUDGE = "meet", "encode", "learn", "return", "judge"
PACKAGE = "package"
STEPS, RATE, WIDTH, LEVEL, ERROR = "steps", "rate", "width", "level", "error"
RUN, BEST, STEP_S, PHASE_S, VERSION = "run", "best", "step_s", "phase_s", "version"
CELLS, TIMES, DEEP, SLOPES, SAID, ROWS = "cells", "times", "deep", "slopes", "said", "rows"
VECTORS, KNOWN = "vectors", "known"
_MANY = 1_000_000  # more than there are gradient messages in a round
_ENCODER = "encoder"
_log = logging.getLogger(__name__)


@dataclass
class AgencyParty:
    """Answers one application for one agency.

    Attributes:
        learner: encodes the agency's own rows; of the run that it takes part in now.
        grant: what may leave; asked before every answer.
        service: the purpose of this meeting.
        application: the only caller that is answered.
        labels: where the agency keeps the labels, by which it judges.
        checkpoints: the agency's own; None: snapshots are kept in memory alone.
        name: of its checkpoints; another map, seed or record has another name.
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
    _asked: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    _told: tuple[int, int] = (-1, 0)

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message.

        Raises:
            GrantError: if what is asked for may not leave.
            ExchangeError: if the caller is not the application, the verb is unknown or what it
                brings does not fit; what fails inside is told in the agency's own log alone.
        """
        if caller != self.application:
            msg = f"{caller} may not ask for {message.verb!r}; only {self.application} may"
            raise ExchangeError(msg)
        answers = {
            MEET: self._meet,
            ENCODE: self._encode,
            LEARN: self._learn,
            RETURN: self._return,
            JUDGE: self._judge,
            PACKAGE: self._package,
        }
        if message.verb not in answers:
            msg = f"no verb {message.verb!r}; an agency answers {', '.join(answers)}"
            raise ExchangeError(msg)
        settings = self.learner.settings
        if self.grant.agency != self.learner.name:
            msg = (
                f"a grant of {self.grant.agency} lets nothing leave {self.learner.name}; "
                f"ask {self.learner.name} for one of its own"
            )
            raise GrantError(msg)
        self.grant.check(self.service, settings.level, settings.deep)
        try:
            return answers[message.verb](message)
        except DeepCityError:
            raise
        except Exception as error:
            _log.warning("%s failed at %r", self.learner.name, message.verb, exc_info=True)
            msg = f"{self.learner.name} failed with a {type(error).__name__}; its log says more"
            raise ExchangeError(msg) from None

    def _meet(self, message: Message) -> Message:
        if RUN in message.numbers:
            self._begin(int(message.numbers[RUN]), int(message.numbers.get(ROUND, 0.0)))
        settings = self.learner.settings
        numbers = {WIDTH: float(settings.deep), LEVEL: float(settings.level)}
        return Message(MEET, numbers, {CELLS: {CELLS: self.learner.columns.cells.cell_C}})  # type: ignore[dict-item]

    def _begin(self, run: int, rounds: int) -> None:
        """Begin a run as pretrained, or where it stood after so many rounds.

        Raises:
            ExchangeError: if there is no checkpoint of that round; the run before goes on.
            CheckpointError: if it is damaged.
        """
        pretrained = self._pretrained or self.learner
        learner = pretrained.twin()
        if rounds:
            found = self.checkpoints and self.checkpoints.load_at(self._kept_as(run), rounds)
            if not found or found.round != rounds:
                msg = f"{self.learner.name} has no checkpoint of run {run}, round {rounds}"
                raise ExchangeError(msg)
            learner.restore(found.arrays[_ENCODER], int(found.values[BEST]))
            learner.remember(rounds - 1, int(found.values[BEST]))
        self._pretrained, self.learner, self._run = pretrained, learner, run
        self._asked, self._told = self._asked[:0], (-1, 0)

    def _snapshot(self, number: int, best: int) -> None:
        """Remember how the encoder stands in a round; what cannot be written costs no answer."""
        self.learner.remember(number, best)
        if self.checkpoints is None:
            return
        arrays = {_ENCODER: self.learner.state(best)}
        try:
            self.checkpoints.save(self._kept_as(self._run), number + 1, arrays, {BEST: best})
        except CheckpointError:
            _log.warning("%s keeps no checkpoint of round %d", self.name, number, exc_info=True)

    def _kept_as(self, run: int) -> str:
        return f"{self.name}.run-{run}"

    def _encode(self, message: Message) -> Message:
        times_B = _array(message, TIMES, TIMES, np.int64, 1)
        self._asked = times_B
        said = self.learner.encode(times_B)
        if BEST in message.numbers:
            self._snapshot(int(message.numbers[ROUND]), int(message.numbers[BEST]))
        # what it would say of a silent cell still tells of days before: it does not leave
        vectors_BCD = np.where(said.known_BC[..., None], said.vectors_BCD, np.float32(0))
        return Message(ENCODE, {}, {DEEP: {VECTORS: vectors_BCD, KNOWN: said.known_BC}})  # type: ignore[dict-item]

    def _learn(self, message: Message) -> Message:
        slope_BCD = _array(message, SLOPES, VECTORS, np.float32, 3)
        cells = len(self.learner.columns.cells.cell_C)
        expected = (len(self._asked), cells, self.learner.settings.deep)
        if slope_BCD.shape != expected or not np.isfinite(slope_BCD).all():
            msg = (
                f"slopes of shape {slope_BCD.shape}, or not finite, do not fit what "
                f"{self.learner.name} said last, {expected}: ask it to encode, then tell slopes"
            )
            raise ExchangeError(msg)
        steps = max(1, int(message.numbers.get(STEPS, 1.0)))
        rate = min(1.0, max(0.0, message.numbers.get(RATE, 1.0)))
        self.learner.learn(self._asked, slope_BCD, steps, self._draw(message), rate)
        return Message(LEARN)

    def _draw(self, message: Message) -> int:
        """Another draw for each telling of a round, the same in a round that is run again."""
        number = int(message.numbers.get(ROUND, 0.0))
        self._told = (number, self._told[1] + 1 if self._told[0] == number else 0)
        return number * _MANY + self._told[1]

    def _return(self, message: Message) -> Message:
        self.learner.return_to(int(message.numbers.get(ROUND, -1.0)))
        return Message(RETURN)

    def _judge(self, message: Message) -> Message:
        if self.labels is None:
            msg = f"{self.learner.name} keeps no labels; ask the agency that does"
            raise ExchangeError(msg)
        said_BNH = _array(message, SAID, SAID, np.float32, 3)
        if ROWS not in message.layers:
            return Message(JUDGE, {ERROR: self.labels.error(said_BNH)})
        slope = self.labels.slope(_array(message, ROWS, ROWS, np.int64, 1), said_BNH)
        return Message(JUDGE, {}, {SLOPES: {SAID: slope}})

    def _package(self, message: Message) -> Message:
        if self.save is None:
            msg = f"{self.learner.name} has no folder to write its encoder to; give it one"
            raise ExchangeError(msg)
        grid = TimeGrid(int(message.numbers[STEP_S]), int(message.numbers[PHASE_S]))
        package = self.save(self.learner, grid)
        version = np.frombuffer(bytes.fromhex(package.version), np.uint8)
        numbers = {STEP_S: float(package.facts.step_s)}
        return Message(PACKAGE, numbers, {VERSION: {VERSION: version}})  # type: ignore[dict-item]


def _array(message: Message, group: str, name: str, dtype: type, dims: int) -> NDArray:  # type: ignore[type-arg]
    """One array of a message.

    Raises:
        ExchangeError: if it is not there, or of another type or number of dimensions.
    """
    found = message.layers.get(group, {}).get(name)
    if found is None or found.dtype != dtype or found.ndim != dims:
        what = "nothing" if found is None else f"{found.dtype} of shape {found.shape}"
        wanted = f"{dims} dimensions of {dtype.__name__}"
        msg = f"{message.verb!r} needs {group}/{name}: {wanted}, not {what}"
        raise ExchangeError(msg)
    return found
