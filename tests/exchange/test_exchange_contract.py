"""What every transport must do."""

import math

import numpy as np
import pytest

from deepcity.city.errors import ExchangeError
from deepcity.exchange.exchange import COORDINATOR, Failure, answers, failures
from deepcity.exchange.message import Message, to_bytes, wire_bytes_by_layer


def layers(value: float = 1.0, size: int = 5):
    return {"h1": {"w": np.full((2, size), value, np.float32)}, "h2": {"b": np.ones(1, np.float32)}}


def test_call_brings_the_answer_back_exactly(joined):
    sent = Message("echo", {"n": 0.1, "worst": math.inf}, layers(0.3))
    answer = joined.exchange.call("north", sent)
    assert answer.numbers == sent.numbers
    np.testing.assert_array_equal(answer.layers["h1"]["w"], sent.layers["h1"]["w"])
    assert answer.layers["h1"]["w"].dtype == np.float32


def test_coordinator_can_call_all(joined):
    assert set(joined.exchange.parties) == {"north", "centre", "south"}


@pytest.mark.parametrize(
    ("verb", "reason"),
    [("refuse", "north.*Sunday"), ("crash", "north.*by zero"), ("nonsense", "north.*Message")],
)
def test_party_that_fails_is_named_with_its_reason(joined, verb, reason):
    with pytest.raises(ExchangeError, match=reason):
        joined.exchange.call("north", Message(verb))
    assert joined.exchange.call("north", Message("who")).verb == f"called by {COORDINATOR}"


def test_group_keeps_answers_beside_failures(joined):
    asked = {"north": "echo", "centre": "crash", "south": "refuse", "nobody": "echo"}
    replies = joined.exchange.call_group(
        {party: Message(verb, {"n": len(party)}) for party, verb in asked.items()}
    )
    assert set(replies) == set(asked)
    assert {party: reply.numbers["n"] for party, reply in answers(replies).items()} == {"north": 5}
    assert {failure.party for failure in failures(replies)} == {"centre", "south", "nobody"}
    reasons = {
        party: reply.reason for party, reply in replies.items() if isinstance(reply, Failure)
    }
    assert "by zero" in reasons["centre"]
    assert "Sunday" in reasons["south"]
    assert "north" in reasons["nobody"]


def test_unknown_party_is_answered_with_the_known_ones(joined):
    with pytest.raises(ExchangeError, match=r"'nobody'.*north.*centre.*south"):
        joined.exchange.call("nobody", Message("who"))


def test_parties_call_each_other_and_the_caller_is_true(joined):
    assert joined.exchange.call("north", Message("ask_next")).verb == "called by north"


def test_calls_within_calls_come_back(joined):
    # north asks centre, which asks north while north still waits
    assert joined.exchange.call("north", Message("ask_back")).verb == "called by centre"


def test_failure_two_calls_away_names_the_whole_way(joined):
    with pytest.raises(ExchangeError, match=r"south.*nobody"):
        joined.exchange.call("south", Message("ask_unknown"))


def test_handler_cannot_touch_the_callers_arrays(joined):
    sent = Message("spoil", layers=layers(0.5))
    joined.exchange.call("north", sent)
    assert (sent.layers["h1"]["w"] == 0.5).all()


def test_caller_cannot_touch_the_handlers_arrays(joined):
    answer = joined.exchange.call("north", Message("keep", layers=layers(0.5)))
    answer.layers["h1"]["w"][...] = -1
    again = joined.exchange.call("north", Message("show_kept"))
    assert (again.layers["h1"]["w"] == 0.5).all()


def test_ledger_counts_what_was_serialised(joined):
    sent = Message("echo", {"round": 3}, layers())
    answer = joined.exchange.call("north", sent)
    ledger = joined.ledger
    assert ledger.total == len(to_bytes(sent)) + len(to_bytes(answer))
    assert ledger.sent_by_layer() == wire_bytes_by_layer(answer)
    assert ledger.received_by_layer() == wire_bytes_by_layer(sent)
    assert ledger.sent_by_layer()["h1"] == 40
    assert ledger.sent_by_party() == {"north": len(to_bytes(answer))}
    assert {row[0] for row in ledger.snapshot()} == {3}


def test_ledger_counts_what_parties_say_to_each_other(joined):
    joined.exchange.call("north", Message("ask_next"))
    left = joined.ledger.sent_by_party()
    asked, answered = len(to_bytes(Message("who"))), len(to_bytes(Message("called by north")))
    assert left == {"north": asked + answered, "centre": answered}
    assert joined.ledger.received_by_party()["centre"] == asked


def test_message_that_cannot_be_sent_costs_no_others_answer(joined):
    bad = Message("echo", layers={"h1": {"w": np.ones(2, np.complex64)}})
    replies = joined.exchange.call_group({"north": bad, "south": Message("echo")})
    assert isinstance(replies["north"], Failure)
    assert "complex64" in replies["north"].reason
    assert isinstance(replies["south"], Message)
