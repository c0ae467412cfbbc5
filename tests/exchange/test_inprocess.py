from dataclasses import replace

import pytest

from deepcity.city.errors import ExchangeError
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.message import Message


class Sleeper:
    """Never answers another; stands for any party."""

    def handle(self, message: Message, caller: str) -> Message:
        raise KeyboardInterrupt


def test_party_cannot_call_itself():
    view = InProcessExchange({"north": Sleeper(), "south": Sleeper()}, "north")
    assert view.parties == ("south",)
    with pytest.raises(ExchangeError, match="'north'"):
        view.call("north", Message("who"))


def test_ctrl_c_is_no_failure_of_a_party():
    exchange = InProcessExchange({"north": Sleeper()})
    with pytest.raises(KeyboardInterrupt):
        exchange.call_group({"north": Message("who")})


def test_round_that_is_no_number_is_counted_under_none():
    exchange = InProcessExchange({"north": Sleeper()})
    with pytest.raises(KeyboardInterrupt):
        exchange.call("north", Message("who", {"round": float("nan")}))
    assert exchange.ledger.snapshot()[0][0] == -1


def test_parties_that_call_in_a_ring_forever_fail_with_a_reason():
    class Caller:
        exchange: InProcessExchange

        def handle(self, message: Message, caller: str) -> Message:
            return self.exchange.call(self.exchange.parties[0], message)

    parties = {"north": Caller(), "south": Caller()}
    exchange = InProcessExchange(parties)
    for name, party in parties.items():
        party.exchange = replace(exchange, name=name)
    with pytest.raises(ExchangeError, match="recursion"):
        exchange.call("north", Message("who"))
