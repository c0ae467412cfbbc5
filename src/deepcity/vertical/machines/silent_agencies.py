"""An exchange that knows which agencies did not answer when they were last asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from deepcity.city.errors import ExchangeError
from deepcity.exchange.exchange import Exchange, Failure, failures
from deepcity.exchange.message import Message


@dataclass
class SilentAgencies:
    """Agencies that failed or were silent when last asked, by name, and why."""

    reasons: dict[str, str] = field(default_factory=dict)

    def note(self, replies: Mapping[str, Message | Failure]) -> None:
        """Note who answered and who did not."""
        for party in replies:
            self.reasons.pop(party, None)
        self.reasons |= {one.party: one.reason for one in failures(replies)}


@dataclass(frozen=True)
class NotedExchange:
    """An exchange whose failures are noted."""

    inner: Exchange
    silent: SilentAgencies

    @property
    def parties(self) -> tuple[str, ...]:
        """Names of the parties that can be called."""
        return self.inner.parties

    def call(self, party: str, message: Message) -> Message:
        """Ask one party; raises what the exchange raises."""
        try:
            answer = self.inner.call(party, message)
        except ExchangeError as error:
            self.silent.note({party: Failure(party, str(error))})
            raise
        self.silent.note({party: answer})
        return answer

    def call_group(self, messages: Mapping[str, Message]) -> Mapping[str, Message | Failure]:
        """Ask several parties."""
        replies = self.inner.call_group(messages)
        self.silent.note(replies)
        return replies
