import numpy as np
import pytest

from deepcity.city.errors import ExchangeError
from deepcity.exchange.grant_guard import GuardedHandler
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.message import Message
from deepcity.privacy.grants import Grant

GRANT = Grant(party="north", service="water", level=2)


class Giver:
    """Answers with whatever layers the verb names."""

    def handle(self, message: Message, caller: str) -> Message:
        return Message(message.verb, layers=layers(*message.verb.split()))


def layers(*names):
    return {name: {"w": np.ones(2, np.float32)} for name in names}


def exchange_of(handler):
    return InProcessExchange({"north": handler, "south": Giver()})


def test_answer_within_the_grant_passes():
    exchange = exchange_of(GuardedHandler(Giver(), GRANT, "north", "water"))
    assert set(exchange.call("north", Message("h1 h2")).layers) == {"h1", "h2"}


@pytest.mark.parametrize("asked", ["h3", "h1 stem", "head", "place_embedding"])
def test_answer_beyond_the_grant_never_leaves(asked):
    exchange = exchange_of(GuardedHandler(Giver(), GRANT, "north", "water"))
    with pytest.raises(ExchangeError, match=rf"north refused.*{asked.split()[-1]}"):
        exchange.call("north", Message(asked))
    assert exchange.ledger.sent_by_layer() == {}


def test_grant_for_another_service_lets_nothing_out():
    exchange = exchange_of(GuardedHandler(Giver(), GRANT, "north", "police"))
    with pytest.raises(ExchangeError, match="does not serve police"):
        exchange.call("north", Message("h1"))


class Smuggler:
    """Answers with what no round needs."""

    def __init__(self, answer):
        self.answer = answer

    def handle(self, message: Message, caller: str) -> Message:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (Message("meter 17 read 4.2"), "meter 17 read 4.2"),
        (Message("train", {"row 1": 4.2}), "row 1"),
        (Message("train", layers={"h1": {"raw rows": np.ones(5, np.float32)}}), "raw rows"),
        (Message("train", layers={"h1": {"w": np.ones(5000, np.float32)}}), "5000"),
    ],
)
def test_nothing_beyond_the_protocol_leaves(answer, named):
    guarded = GuardedHandler(
        Smuggler(answer), GRANT, "north", "water", own_layers=layers("h1", "h2")
    )
    exchange = exchange_of(guarded)
    with pytest.raises(ExchangeError, match=named):
        exchange.call("north", Message("train"))
    assert exchange.ledger.sent_by_layer() == {}


def test_what_a_party_fails_with_stays_at_home():
    guarded = GuardedHandler(Smuggler(ValueError("meter 17 read 4.2")), GRANT, "north", "water")
    with pytest.raises(ExchangeError, match="ValueError") as caught:
        exchange_of(guarded).call("north", Message("train"))
    assert "meter" not in str(caught.value)
