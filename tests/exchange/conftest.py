"""Every transport faces the contract: a new one adds its builder to TRANSPORTS."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from multiprocessing.connection import Listener
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import pytest
from contract_party import DeskWire, Joined, Party, contract_desk
from contributing_examples import drop

from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.flare.desk import Desk
from deepcity.exchange.flare.machines import MachineExchange
from deepcity.exchange.flare.task import CallTask
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.ledger import Ledger

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


@contextmanager
def desks(names: tuple[str, ...]) -> Iterator[Joined]:
    """All of the exchange between machines but its engine: `test_flare.py` has that too."""
    found: dict[str, Desk] = {}
    for name in names:
        found[name] = contract_desk(name, names, DeskWire(found, name))
    ledger = Ledger()
    tasks = {name: CallTask(party=name, level=6) for name in names}
    wire = DeskWire(found, COORDINATOR)
    yield Joined(MachineExchange(wire, names, names, tasks, ledger=ledger), ledger)


TRANSPORTS: Mapping[str, Builder] = {
    "in_process": in_process,
    "sockets": sockets,
    "desks": desks,
}


@pytest.fixture(params=list(TRANSPORTS))
def joined(request: pytest.FixtureRequest) -> Iterator[Joined]:
    """Three parties, joined by each transport in turn."""
    with TRANSPORTS[request.param](("north", "centre", "south")) as joined:
        yield joined
