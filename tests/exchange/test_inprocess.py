import pytest

from deepcity.city.errors import ExchangeError
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.message import Message


class Sleeper:
    """Never answers another; stands for any party."""

    def handle(self, message: Message, caller: str) -> Message:
        raise KeyboardInterrupt


def test_view_of_an_unknown_party_names_the_known_ones():
    with pytest.raises(ExchangeError, match=r"'west'.*north, south"):
        InProcessExchange({"north": Sleeper(), "south": Sleeper()}).seen_by("west")


def test_party_cannot_call_itself():
    view = InProcessExchange({"north": Sleeper(), "south": Sleeper()}).seen_by("north")
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
        party.exchange = exchange.seen_by(name)
    with pytest.raises(ExchangeError, match="recursion"):
        exchange.call("north", Message("who"))
