"""Calls whose answers come in any order: over any transport, or on a clock that is simulated.

A party has one call under way at most.
"""

import heapq
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Thread
from typing import Protocol

from deepcity.city.errors import ExchangeError
from deepcity.exchange.exchange import (
    Exchange,
    Failure,
    TransportLostError,
    UnknownOutcomeError,
)
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import COLLECT

MOST_COLLECTS = 3
"""Times that an answer which did not come in time is asked for again; then its party has failed."""


class PendingCalls(Protocol):
    """Calls that are under way."""

    @property
    def now_s(self) -> float:
        """Seconds since the training began."""
        ...

    @property
    def parties(self) -> frozenset[str]:
        """Whose answers have not been returned yet."""
        ...

    @property
    def ready(self) -> bool:
        """Whether `next` has an answer without waiting."""
        ...

    def begin(self, party: str, message: Message, asked_s: float) -> None:
        """Call a party that has no call under way.

        Args:
            asked_s: when it was first asked for this, as `now_s`.
        """
        ...

    def next(self) -> tuple[str, Message | Failure]:
        """Wait for the next answer; only while there are calls under way.

        Raises:
            TransportLostError: if no answer can come any more.
        """
        ...


@dataclass
class ConcurrentCalls:
    """Calls over a transport, each in a thread of its own, under the transport's own deadline.

    A missed deadline means "unknown": the update is collected, so that the work is not lost.

    Attributes:
        begun_s: seconds that the training took before.
    """

    exchange: Exchange
    begun_s: float = 0.0
    _under_way: set[str] = field(default_factory=set)
    _answers: SimpleQueue[tuple[str, Message | Failure | TransportLostError]] = field(
        default_factory=SimpleQueue
    )
    _started: float = field(default_factory=time.monotonic)

    @property
    def now_s(self) -> float:
        """Seconds since the training began."""
        return self.begun_s + time.monotonic() - self._started

    @property
    def parties(self) -> frozenset[str]:
        """Whose answers have not been returned yet."""
        return frozenset(self._under_way)

    @property
    def ready(self) -> bool:
        """Whether an answer is there."""
        return not self._answers.empty()

    def begin(self, party: str, message: Message, asked_s: float) -> None:
        """Call a party that has no call under way."""
        self._under_way.add(party)
        Thread(target=self._call, args=(party, message), name="pending", daemon=True).start()

    def next(self) -> tuple[str, Message | Failure]:
        """Wait for the next answer.

        Raises:
            TransportLostError: if no answer can come any more.
        """
        party, answer = self._answers.get()
        self._under_way.discard(party)
        if isinstance(answer, TransportLostError):
            raise answer
        return party, answer

    def _call(self, party: str, message: Message) -> None:
        try:
            self._answers.put((party, self._answer(party, message)))
        except TransportLostError as error:
            self._answers.put((party, error))
        except Exception as error:  # else nobody would wake who waits
            self._answers.put((party, Failure(party, f"{type(error).__name__}: {error}")))

    def _answer(self, party: str, message: Message) -> Message | Failure:
        """A call's answer, collected where it did not come in time."""
        again = Message(COLLECT, {ROUND: message.numbers[ROUND]})
        for collected in range(1 + MOST_COLLECTS):
            try:
                return self.exchange.call(party, again if collected else message)
            except UnknownOutcomeError as error:
                late = Failure(party, str(error))
            except TransportLostError:
                raise
            except ExchangeError as error:
                return Failure(party, str(error))
        return late


@dataclass
class SimulatedCalls:
    """Calls in one process on a simulated clock, by `round_seconds`.

    A party works when it is called, and its answer comes when its round is over: the earliest
    first, of equal ones by name. So a run is the same each time.

    Attributes:
        seconds: party -> how long its rounds take; 1 where none is given.
        now_s: seconds since the training began.
    """

    exchange: Exchange
    seconds: Mapping[str, float] = field(default_factory=dict)
    now_s: float = 0.0
    _due: list[tuple[float, str, Message | Failure]] = field(default_factory=list)

    @property
    def parties(self) -> frozenset[str]:
        """Whose answers have not been returned yet."""
        return frozenset(party for _, party, _ in self._due)

    @property
    def ready(self) -> bool:
        """Whether an answer is due now."""
        return bool(self._due) and self._due[0][0] <= self.now_s

    def begin(self, party: str, message: Message, asked_s: float) -> None:
        """Call a party that has no call under way."""
        reply = self.exchange.call_group({party: message})[party]
        due_s = asked_s + self.seconds.get(party, 1.0)
        heapq.heappush(self._due, (max(due_s, self.now_s), party, reply))

    def next(self) -> tuple[str, Message | Failure]:
        """The next answer."""
        self.now_s, party, reply = heapq.heappop(self._due)
        return party, reply
