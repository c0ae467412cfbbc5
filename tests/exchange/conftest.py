"""Every transport faces the contract: a new one adds its builder to TRANSPORTS."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Listener
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import pytest
from contributing_examples import drop

from deepcity.city.errors import DeepCityError
from deepcity.exchange.exchange import Exchange
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.message import Message


class RefusalError(DeepCityError):
    """What a party of the contract refuses with."""


@dataclass
class Party:
    """Answers by verb; says who called in its answer's verb, for a message has no other text."""

    exchange: Exchange | None = None
    kept: list[Message] = field(default_factory=list)

    def handle(self, message: Message, caller: str) -> Message:
        return getattr(self, message.verb)(message, caller)

    def echo(self, message: Message, caller: str) -> Message:
        return Message("echo", message.numbers, message.layers)

    def who(self, message: Message, caller: str) -> Message:
        return Message(f"called by {caller}")

    def refuse(self, message: Message, caller: str) -> Message:
        raise RefusalError("not on a Sunday")

    def crash(self, message: Message, caller: str) -> Message:
        raise ZeroDivisionError("by zero")

    def spoil(self, message: Message, caller: str) -> Message:
        for tensors in message.layers.values():
            for tensor in tensors.values():
                tensor[...] = -1
        return Message("spoilt")

    def keep(self, message: Message, caller: str) -> Message:
        self.kept.append(Message("kept", {}, {"h1": {"w": next(iter(_all(message)))}}))
        return self.kept[-1]

    def show_kept(self, message: Message, caller: str) -> Message:
        return self.kept[-1]

    def nonsense(self, message: Message, caller: str) -> Message:
        return "a text"  # type: ignore[return-value]

    def ask_next(self, message: Message, caller: str) -> Message:
        assert self.exchange is not None
        return self.exchange.call(self.exchange.parties[0], Message("who"))

    def ask_back(self, message: Message, caller: str) -> Message:
        """Calls a party that calls another one within its own answer."""
        assert self.exchange is not None
        return self.exchange.call(self.exchange.parties[0], Message("ask_next"))

    def ask_unknown(self, message: Message, caller: str) -> Message:
        assert self.exchange is not None
        return self.exchange.call("nobody", Message("who"))


def _all(message: Message):
    return (tensor for tensors in message.layers.values() for tensor in tensors.values())


@dataclass(frozen=True)
class Joined:
    """An exchange as the coordinator sees it, and the ledger it writes."""

    exchange: Exchange
    ledger: Ledger


Builder = Callable[[tuple[str, ...]], AbstractContextManager[Joined]]


@contextmanager
def in_process(names: tuple[str, ...]) -> Iterator[Joined]:
    parties = {name: Party() for name in names}
    exchange = InProcessExchange(parties)
    for name, party in parties.items():
        party.exchange = replace(exchange, name=name)
    yield Joined(exchange, exchange.ledger)


@contextmanager
def sockets(names: tuple[str, ...]) -> Iterator[Joined]:
    """The example of CONTRIBUTING.md: a listener for each party."""
    parties, ledger, key = {name: Party() for name in names}, Ledger(), b"key"
    with ExitStack() as open_now:
        patch = open_now.enter_context(pytest.MonkeyPatch.context())
        module = drop("exchange/sockets", Path(open_now.enter_context(TemporaryDirectory())), patch)
        addresses = {}
        for name, party in parties.items():
            listener = open_now.enter_context(Listener(("127.0.0.1", 0), authkey=key))
            addresses[name] = listener.address
            Thread(target=module.serve, args=(party, listener), daemon=True).start()
        exchange = module.SocketExchange(addresses, key, ledger=ledger)
        for name, party in parties.items():
            party.exchange = replace(exchange, name=name)
        yield Joined(exchange, ledger)


TRANSPORTS: Mapping[str, Builder] = {"in_process": in_process, "sockets": sockets}


@pytest.fixture(params=list(TRANSPORTS))
def joined(request: pytest.FixtureRequest) -> Iterator[Joined]:
    """Three parties, joined by each transport in turn."""
    with TRANSPORTS[request.param](("north", "centre", "south")) as joined:
        yield joined
