"""The contract of every transport: call one party, call a group, and be called.

The round protocol is written against `Exchange` alone and never learns which
transport carries it. A party is whatever answers messages (`Handler`); inside its
handler it may call other parties through the exchange it was joined to, and the
transport tells each handler who is calling, so that authorisation happens there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from deepcity.city.errors import DeepCityError, ExchangeError
from deepcity.exchange.message import Message

COORDINATOR = "coordinator"
"""Name of whoever runs the rounds; it holds no raw data, so its messages leak none."""


@dataclass(frozen=True)
class Failure:
    """Why a party's answer is missing; other answers are kept."""

    party: str
    reason: str

    def __str__(self) -> str:
        return f"{self.party}: {self.reason}"


class UnknownOutcomeError(ExchangeError):
    """A party did not answer in time: whether it did the work is unknown."""


class TransportLostError(ExchangeError):
    """The transport itself is gone, and no call over it will be answered."""


class PausedError(DeepCityError):
    """Raised by whoever leads a training, after a round: nothing more is to be asked for now."""


class Handler(Protocol):
    """A party's side: answers messages and decides what leaves."""

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message; raise `DeepCityError` to refuse it with a reason."""
        ...


class Exchange(Protocol):
    """One party's connection to the others."""

    @property
    def parties(self) -> tuple[str, ...]:
        """Names of the parties that can be called."""
        ...

    def call(self, party: str, message: Message) -> Message:
        """Ask one party and wait for its answer.

        Raises:
            ExchangeError: if the party is unknown, failed, or refused.
        """
        ...

    def call_group(self, messages: Mapping[str, Message]) -> Mapping[str, Message | Failure]:
        """Ask several parties, each its own message; one that fails costs no other's answer."""
        ...


def answers(replies: Mapping[str, Message | Failure]) -> dict[str, Message]:
    """Only the replies that arrived."""
    return {party: reply for party, reply in replies.items() if isinstance(reply, Message)}


def failures(replies: Mapping[str, Message | Failure]) -> Sequence[Failure]:
    """Only the failures."""
    return [reply for reply in replies.values() if isinstance(reply, Failure)]


def unknown_party(party: str, known: Sequence[str]) -> str:
    """Why a party cannot be called."""
    names = ", ".join(known) if known else "none"
    return f"no party {party!r} can be called; the parties are: {names}"


def refuse_failures(failed: Iterable[Failure], what: str, right: str) -> None:
    """Raise if there are any.

    Raises:
        ExchangeError: what could not be done, by whom and why, and the next step.
    """
    if reasons := "; ".join(map(str, failed)):
        raise ExchangeError(f"{what}: {reasons}. {right}")
