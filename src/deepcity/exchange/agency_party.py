"""An agency's side of a meeting: it says what it grants for the origins it is asked about.

Verbs: ``meet`` (which cells, how wide), ``encode`` (deep data for origins), ``learn`` (follow
slopes for the origins last encoded), ``return`` (stand where a round ended: the application
keeps its best round, and must hear then what it heard in it), ``judge`` (only where it keeps
the labels: the slope of the error, or the error). Rows, scaling, the stem and place names have
no message to leave by.
"""

import logging
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from deepcity.city.errors import DeepCityError, ExchangeError, GrantError
from deepcity.exchange.message import ROUND, Message
from deepcity.learning.agency_learner import AgencyLearner
from deepcity.learning.labels import Labels
from deepcity.privacy.deep_grant import DeepGrant

MEET, ENCODE, LEARN, RETURN, JUDGE = "meet", "encode", "learn", "return", "judge"
STEPS, RATE, WIDTH, LEVEL, ERROR = "steps", "rate", "width", "level", "error"
CELLS, TIMES, DEEP, SLOPES, SAID, ROWS = "cells", "times", "deep", "slopes", "said", "rows"
VECTORS, KNOWN = "vectors", "known"
_MANY = 1_000_000  # more than there are tellings in a round
_log = logging.getLogger(__name__)


@dataclass
class AgencyParty:
    """Answers one application for one agency.

    Attributes:
        learner: encodes the agency's own rows.
        grant: what may leave; asked before every answer.
        service: the purpose of this meeting.
        application: the only caller that is answered.
        labels: where the agency keeps the labels, by which it judges.
    """

    learner: AgencyLearner
    grant: DeepGrant
    service: str
    application: str
    labels: Labels | None = None
    _asked: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
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

    def _meet(self, _message: Message) -> Message:
        settings = self.learner.settings
        numbers = {WIDTH: float(settings.deep), LEVEL: float(settings.level)}
        return Message(MEET, numbers, {CELLS: {CELLS: self.learner.columns.cells.cell_C}})  # type: ignore[dict-item]

    def _encode(self, message: Message) -> Message:
        times_B = _array(message, TIMES, TIMES, np.int64, 1)
        self._asked = times_B
        said = self.learner.encode(times_B)
        if ROUND in message.numbers:
            self.learner.remember(int(message.numbers[ROUND]))
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
