"""The embedded exchange: all parties in one process, every payload serialised both ways.

It runs the same protocol code as a transport between machines: a handler never sees the
caller's own arrays, learns the caller's true name from the exchange, and whatever it
raises reaches the caller as a reason in words.
"""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from deepcity.city.errors import DeepCityError, ExchangeError
from deepcity.exchange.exchange import COORDINATOR, Failure, Handler
from deepcity.exchange.ledger import NO_ROUND, Ledger
from deepcity.exchange.message import ROUND, Message, from_bytes, to_bytes, wire_bytes_by_layer
from deepcity.exchange.precision import Precision, lowered, restored

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class InProcessExchange:
    """One caller's view of parties that live in this process.

    Attributes:
        handlers: every party's side, by name.
        name: who calls through this view.
        ledger: counts what passes; shared by all views.
        precision: of layers on the wire; they arrive as float32.
    """

    handlers: Mapping[str, Handler]
    name: str = COORDINATOR
    ledger: Ledger = field(default_factory=Ledger)
    precision: Precision = "float32"

    @property
    def parties(self) -> tuple[str, ...]:
        """Names of the parties that can be called: all but the caller itself."""
        return tuple(party for party in self.handlers if party != self.name)

    def seen_by(self, party: str) -> "InProcessExchange":
        """The same exchange as one of its parties sees it.

        Raises:
            ExchangeError: if there is no such party.
        """
        if party not in self.handlers:
            raise ExchangeError(_unknown(party, tuple(self.handlers)))
        return InProcessExchange(self.handlers, party, self.ledger, self.precision)

    def call(self, party: str, message: Message) -> Message:
        """Ask one party and wait for its answer.

        Raises:
            ExchangeError: if the party is unknown, failed, or refused.
        """
        if party not in self.parties:
            raise ExchangeError(_unknown(party, self.parties))
        request = self._carry(message, message, self.name, party)
        try:
            reply = self.handlers[party].handle(request, self.name)
        except DeepCityError as error:
            msg = f"{party} refused {message.verb!r}: {error}"
            raise ExchangeError(msg) from error
        except Exception as error:
            _log.debug("%s failed at %r", party, message.verb, exc_info=True)
            msg = f"{party} failed at {message.verb!r}: {type(error).__name__}: {error}"
            raise ExchangeError(msg) from error
        return self._carry(reply, message, party, self.name)

    def call_group(self, messages: Mapping[str, Message]) -> dict[str, Message | Failure]:
        """Ask several parties, each its own message; one that fails costs no other's answer."""
        replies: dict[str, Message | Failure] = {}
        for party, message in messages.items():
            try:
                replies[party] = self.call(party, message)
            except ExchangeError as error:
                replies[party] = Failure(party, str(error))
        return replies

    def _carry(self, message: object, request: Message, sender: str, receiver: str) -> Message:
        """A message over the wire: to bytes, into the ledger, and back."""
        if not isinstance(message, Message):
            kind = type(message).__name__
            msg = f"{sender} answered {request.verb!r} with a {kind}; it must return a Message"
            raise ExchangeError(msg)
        sent = lowered(message, self.precision)
        blob = to_bytes(sent)
        sizes = wire_bytes_by_layer(sent, blob)
        self.ledger.record(request.verb, sender, receiver, sizes, round=_round(request))
        return restored(from_bytes(blob))


def _round(request: Message) -> int:
    number = request.numbers.get(ROUND, NO_ROUND)
    return int(number) if math.isfinite(number) else NO_ROUND


def _unknown(party: str, known: tuple[str, ...]) -> str:
    names = ", ".join(known) if known else "none"
    return f"no party {party!r} can be called; the parties are: {names}"
