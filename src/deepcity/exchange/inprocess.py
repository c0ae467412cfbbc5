"""The embedded exchange: all parties in one process, every payload serialised both ways.

It runs the same protocol code as a transport between machines: a handler never sees the
caller's own arrays, learns the caller's true name from the exchange, and whatever it
raises reaches the caller as a text.

`lead_apart` puts the coordinator into a thread of its own, in which sites are names at the other
end of a queue: nothing of a site but its answers can be reached from there.
"""

import ctypes
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from deepcity.city.errors import DeepCityError, ExchangeError
from deepcity.exchange.exchange import COORDINATOR, Failure, Handler, unknown_party
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.message import Message, from_bytes, round_of, to_bytes, wire_bytes_by_layer
from deepcity.exchange.precision import Precision, lower_precision, restore_precision

_log = logging.getLogger(__name__)
Result = TypeVar("Result")


@dataclass(frozen=True)
class InProcessExchange:
    """One caller's view of parties that live in this process.

    Attributes:
        handlers: every party's side, by name.
        name: the caller of this view.
        ledger: counts the bytes sent; shared by all views.
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

    def call(self, party: str, message: Message) -> Message:
        """Ask one party and wait for its answer.

        Raises:
            ExchangeError: if the party is unknown, failed, or refused.
        """
        if party not in self.parties:
            raise ExchangeError(unknown_party(party, self.parties))
        request = self._carry(message, message, self.name, party)
        try:
            reply = self.handlers[party].handle(request, self.name)
        except DeepCityError as error:
            raise ExchangeError(f"{party} refused {message.verb!r}: {error}") from error
        except Exception as error:
            _log.debug("%s failed at %r", party, message.verb, exc_info=True)
            raise ExchangeError(
                f"{party} failed at {message.verb!r}: {type(error).__name__}: {error}"
            ) from error
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
            raise ExchangeError(
                f"{sender} answered {request.verb!r} with a {kind}; it must return a Message"
            )
        sent = lower_precision(message, self.precision)
        blob = to_bytes(sent)
        sizes = wire_bytes_by_layer(sent, blob)
        self.ledger.record(request.verb, sender, receiver, sizes, round=round_of(request))
        return restore_precision(from_bytes(blob))


class _StopLeadingError(SystemExit):
    """Ends the coordinator's thread; no handler of parties' errors catches it."""


@dataclass(frozen=True)
class _Ended:
    """The outcome of the coordinator's thread."""

    result: Any = None
    error: BaseException | None = None


@dataclass(frozen=True)
class SiteLine:
    """A site at the other end of two queues: all that the coordinator's thread holds of it."""

    site: str
    requests: SimpleQueue[Any]
    answers: SimpleQueue[Message | BaseException]

    def handle(self, message: Message, caller: str) -> Message:
        """Send a message there and wait for the answer; raises what the site raised."""
        self.requests.put((self.site, message, caller))
        answer = self.answers.get()
        if isinstance(answer, BaseException):
            raise answer
        return answer


def lead_apart(
    sites: Mapping[str, Handler], lead: Callable[[Mapping[str, Handler]], Result]
) -> Result:
    """Answer for sites here, while `lead` runs in a thread of its own with lines to them.

    Sites answer in the thread that called, one at a time. Whatever ends that thread (Ctrl-C)
    ends the other one, and what `lead` raises is raised here.

    Args:
        lead: called with a line to each site; all else that it reaches is the coordinator's.
    """
    requests: SimpleQueue[Any] = SimpleQueue()
    answers: SimpleQueue[Message | BaseException] = SimpleQueue()
    lines = {site: SiteLine(site, requests, answers) for site in sites}
    thread = Thread(target=_lead, args=(lead, lines, requests, answers), daemon=True)
    try:
        thread.start()
        while not isinstance(asked := _next(requests), _Ended):
            site, message, caller = asked
            answers.put(_answer(sites[site], message, caller))
    except BaseException:
        _stop(thread, answers)
        raise
    finally:
        if thread.ident is not None:
            thread.join()
    if asked.error is not None:
        raise asked.error
    result: Result = asked.result
    return result


def _next(requests: SimpleQueue[Any]) -> tuple[str, Message, str] | _Ended:
    """Wait for a request; awake once a second, as a signal may be missed while waiting."""
    while True:
        try:
            found: tuple[str, Message, str] | _Ended = requests.get(timeout=1.0)
            return found
        except Empty:
            continue


def _stop(thread: Thread, answers: SimpleQueue[Message | BaseException]) -> None:
    """End the coordinator's thread, whether it begins, works or waits for an answer."""
    answers.put(_StopLeadingError())
    ident = ctypes.c_ulong(thread.ident or 0)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(_StopLeadingError))


def _lead(
    lead: Callable[[Mapping[str, Handler]], object],
    lines: Mapping[str, Handler],
    requests: SimpleQueue[Any],
    answers: SimpleQueue[Message | BaseException],
) -> None:
    """The coordinator's thread."""
    if not answers.empty():  # stopped before it began
        return
    try:
        requests.put(_Ended(lead(lines)))
    except BaseException as error:  # raised again in the thread that called
        requests.put(_Ended(error=error))


def _answer(site: Handler, message: Message, caller: str) -> Message | Exception:
    """A site's answer, or what it raised, without the frames that lead back to the site."""
    try:
        return site.handle(message, caller)
    except Exception as error:
        _log.debug("a site failed at %r", message.verb, exc_info=True)
        error.__cause__ = error.__context__ = None
        return error.with_traceback(None)
