"""Grants wrapped around a party: every message it sends is checked before it leaves.

A party sends in two ways, both wrapped here: it answers (`GrantedHandler`), and it may
itself call others (`GrantedExchange`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from deepcity.city.errors import GrantError
from deepcity.exchange.exchange import Exchange, Failure, Handler
from deepcity.exchange.message import Message
from deepcity.privacy.grants import Grant


@dataclass(frozen=True)
class GrantedHandler:
    """A handler whose answers hold only layers that the grant lets leave."""

    inner: Handler
    grant: Grant
    party: str
    service: str

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message.

        Raises:
            GrantError: if the answer holds a layer that may not leave.
        """
        answer = self.inner.handle(message, caller)
        self.grant.check(answer.layers, self.party, self.service)
        return answer


@dataclass(frozen=True)
class GrantedExchange:
    """A party's exchange through which only layers pass that the grant lets leave."""

    inner: Exchange
    grant: Grant
    party: str
    service: str

    @property
    def parties(self) -> tuple[str, ...]:
        """Names of the parties that can be called."""
        return self.inner.parties

    def call(self, party: str, message: Message) -> Message:
        """Ask one party and wait for its answer.

        Raises:
            GrantError: if the message holds a layer that may not leave.
            ExchangeError: if the party is unknown, failed, or refused.
        """
        self.grant.check(message.layers, self.party, self.service)
        return self.inner.call(party, message)

    def call_group(self, messages: Mapping[str, Message]) -> Mapping[str, Message | Failure]:
        """Ask several parties; a message that may not leave becomes a failure."""
        replies: dict[str, Message | Failure] = {}
        for party, message in messages.items():
            try:
                self.grant.check(message.layers, self.party, self.service)
            except GrantError as error:
                replies[party] = Failure(party, str(error))
        allowed = {party: message for party, message in messages.items() if party not in replies}
        return {**replies, **self.inner.call_group(allowed)}
