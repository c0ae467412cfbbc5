"""The party of the exchange contract: it answers by verb, refuses, crashes, and calls others."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from deepcity.city.errors import DeepCityError
from deepcity.exchange.exchange import Exchange
from deepcity.exchange.flare.access import CallAccess, CallerRole, Rule
from deepcity.exchange.flare.desk import Desk, PartyDesk
from deepcity.exchange.flare.link import Reply, Wire
from deepcity.exchange.flare.machines import MachineExchange
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.message import Message

VERBS = ("echo", "who", "refuse", "crash", "spoil", "keep", "show_kept", "nonsense")
VERBS += ("ask_next", "ask_back", "ask_unknown")


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


ALL = frozenset({CallerRole.COORDINATOR, CallerRole.PEER})
RULES = {verb: Rule(ALL, layers=True, in_training=False) for verb in VERBS}


def contract_desk(name: str, sites: tuple[str, ...], wire: Wire) -> Desk:
    """A site's desk with one party of the site's own name, which calls others over the wire."""
    others, ledger = tuple(site for site in sites if site != name), Ledger()
    party = Party(MachineExchange(wire, others, sites, name=name, ledger=ledger))
    access = CallAccess(RULES, frozenset(others), {"": 6})
    return Desk({name: PartyDesk(access, lambda _task: party, ledger=ledger)}, sites)


@dataclass(frozen=True)
class DeskWire:
    """Carries bytes to desks of this process."""

    desks: Mapping[str, Desk]
    caller: str

    def ask(self, site: str, task: str, blob: bytes, deadline_s: float) -> Reply:
        return Reply(**self.desks[site].answer(task, blob, self.caller))
