"""Grants wrapped around a party: every answer is checked before it leaves."""

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from deepcity.city.errors import DeepCityError, ExchangeError, GrantError
from deepcity.city.level import Layers
from deepcity.exchange.exchange import Handler
from deepcity.exchange.message import Message
from deepcity.exchange.party import NUMBERS
from deepcity.privacy.grants import Grant

_log = logging.getLogger(__name__)


@contextmanager
def details_stay(
    party: str, verb: str, leave: type[DeepCityError] = DeepCityError
) -> Iterator[None]:
    """Keep the text of an error in the party's own log: it may hold values of its records.

    Args:
        leave: errors whose text may leave.

    Raises:
        ExchangeError: with the type of any other error alone.
    """
    try:
        yield
    except leave:
        raise
    except Exception as error:
        _log.warning("%s failed at %r", party, verb, exc_info=True)
        raise ExchangeError(
            f"{party} failed with a {type(error).__name__}; see its own log"
        ) from None


@dataclass(frozen=True)
class GuardedHandler:
    """A handler whose answers hold only what the grant lets leave.

    That is: the verb that was asked, the numbers of the round protocol, and tensors of
    granted layers with the names and shapes that they have in this party's network. The text
    of an error stays in the party's own log; the caller gets the error's type.

    Attributes:
        own_layers: the party's layers; left out, names and shapes are not checked.
        policy: asked about the layers that are about to leave, in addition to the grant; it raises
            GrantError where they may not.
    """

    inner: Handler
    grant: Grant
    party: str
    service: str
    own_layers: Layers | None = None
    policy: Callable[[Collection[str]], object] | None = None

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message.

        Raises:
            GrantError: if the answer holds anything that is not granted.
            ExchangeError: if the party failed.
        """
        with details_stay(self.party, message.verb):
            answer = self.inner.handle(message, caller)
        self.grant.check(answer.layers, self.party, self.service)
        if self.policy is not None and answer.layers:
            self.policy(list(answer.layers))
        if foreign := self._foreign(message, answer):
            raise GrantError(
                f"{', '.join(foreign)} may not leave {self.party}: no part of the round protocol"
            )
        return answer

    def _foreign(self, message: Message, answer: Message) -> list[str]:
        """Parts of the answer that are not in the protocol."""
        found = [] if answer.verb == message.verb else [f"verb {answer.verb!r}"]
        found += [f"number {name!r}" for name in answer.numbers if name not in NUMBERS]
        if self.own_layers is not None:
            for layer, tensors in answer.layers.items():
                own = self.own_layers[layer]
                found += [
                    f"{layer}/{name} of shape {tensor.shape}"
                    for name, tensor in tensors.items()
                    if name not in own or tensor.shape != own[name].shape
                ]
        return found
