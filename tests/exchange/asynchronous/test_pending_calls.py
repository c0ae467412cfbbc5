"""Answers in any order: late ones are collected, and nobody waits for ever."""

import threading

import numpy as np
import pytest
from contract_party import DeskWire
from test_rounds import learner

from deepcity.city.errors import ExchangeError
from deepcity.exchange.asynchronous.pending_calls import MOST_COLLECTS, ConcurrentCalls
from deepcity.exchange.exchange import (
    COORDINATOR,
    Failure,
    TransportLostError,
    UnknownOutcomeError,
)
from deepcity.exchange.flare.access import CallAccess
from deepcity.exchange.flare.desk import Desk, PartyDesk
from deepcity.exchange.flare.leases import LeaseLostError
from deepcity.exchange.flare.link import PING, TIMEOUT, Reply
from deepcity.exchange.flare.machines import MachineExchange
from deepcity.exchange.flare.task import CallTask
from deepcity.exchange.message import ROUND, Message, from_bytes
from deepcity.exchange.party import COLLECT, EVALUATE, RESTORE, TRAIN, LearningParty
from deepcity.store.checkpoint import CheckpointStore

ASKED = Message(TRAIN, {ROUND: 3.0})


class Lines:
    """Parties that answer as they are told to, when they are told to."""

    parties = ("a", "b")

    def __init__(self, **answers):
        self.answers, self.asked = answers, []
        self.go = {party: threading.Event() for party in answers}

    def call(self, party, message):
        self.asked.append((party, message.verb, message.numbers[ROUND]))
        assert self.go[party].wait(10)
        found = self.answers[party]
        found = found.pop(0) if isinstance(found, list) else found
        if isinstance(found, BaseException):
            raise found
        return found


def begun(**answers):
    lines = Lines(**answers)
    calls = ConcurrentCalls(lines)
    for party in answers:
        calls.begin(party, ASKED, 0.0)
    return lines, calls


def test_answers_come_in_the_order_in_which_parties_are_done():
    first, second = Message(TRAIN, {"n": 1.0}), Message(TRAIN, {"n": 2.0})
    lines, calls = begun(a=first, b=second)
    assert calls.parties == {"a", "b"}
    assert not calls.ready
    lines.go["b"].set()
    assert calls.next() == ("b", second)
    assert calls.parties == {"a"}
    lines.go["a"].set()
    assert calls.next() == ("a", first)
    assert not calls.parties


def test_a_late_answer_is_collected():
    late = UnknownOutcomeError("no answer within 5 s")
    lines, calls = begun(a=[late, late, Message(COLLECT, {"n": 1.0})])
    lines.go["a"].set()
    assert calls.next() == ("a", Message(COLLECT, {"n": 1.0}))
    assert lines.asked == [("a", TRAIN, 3.0), ("a", COLLECT, 3.0), ("a", COLLECT, 3.0)]


def test_a_party_that_never_answers_has_failed_in_the_end():
    lines, calls = begun(a=UnknownOutcomeError("no answer within 5 s"))
    lines.go["a"].set()
    assert calls.next() == ("a", Failure("a", "no answer within 5 s"))
    assert len(lines.asked) == 1 + MOST_COLLECTS


@pytest.mark.parametrize("error", [ExchangeError("a refused"), ZeroDivisionError("a refused")])
def test_a_refusal_is_a_failure_of_its_party_alone(error):
    lines, calls = begun(a=error, b=Message(TRAIN))
    lines.go["a"].set()
    party, found = calls.next()
    assert party == "a"
    assert "a refused" in found.reason
    lines.go["b"].set()
    assert calls.next() == ("b", Message(TRAIN))


def test_a_transport_that_is_gone_ends_the_wait():
    lines, calls = begun(a=LeaseLostError("the job has ended"), b=Message(TRAIN))
    lines.go["a"].set()
    with pytest.raises(TransportLostError, match="the job has ended"):
        calls.next()
    lines.go["b"].set()


def party(folder):
    return LearningParty(learner("a"), 3, False, CheckpointStore(folder), "water.level_3")


def test_an_update_is_collected_as_it_was(tmp_path):
    """Also by a process that knows the site's checkpoint alone; and no other round's."""
    one = party(tmp_path)
    sent = one.handle(Message(TRAIN, {ROUND: 4.0}), COORDINATOR)
    again = party(tmp_path)
    again.handle(Message(RESTORE, {ROUND: 5.0}), COORDINATOR)
    for found in (one, again):
        collected = found.handle(Message(COLLECT, {ROUND: 4.0}), COORDINATOR)
        assert collected.numbers == sent.numbers
        for layer, tensors in sent.layers.items():
            for name, values in tensors.items():
                np.testing.assert_array_equal(collected.layers[layer][name], values)
        with pytest.raises(ExchangeError, match="no update of round 3 to collect; the newest is 4"):
            found.handle(Message(COLLECT, {ROUND: 3.0}), COORDINATOR)
    one.handle(Message(EVALUATE, {}, sent.layers), COORDINATOR)
    with pytest.raises(ExchangeError, match="it holds none"):
        one.handle(Message(COLLECT, {ROUND: 4.0}), COORDINATOR)


class SlowWire(DeskWire):
    """The site does the work, and its answer to ``train`` comes after the deadline."""

    def ask(self, site, task, blob, deadline_s):
        if task == PING:
            return Reply("answer")
        reply = super().ask(site, task, blob, deadline_s)
        if from_bytes(blob).verb == TRAIN:
            return Reply(TIMEOUT, f"no answer within {deadline_s:.0f} s")
        return reply


@pytest.mark.parametrize("secure", [False, True])
def test_a_missed_deadline_between_machines_costs_no_work(tmp_path, secure):
    """Under the site's own rules; where it gives sums alone, nothing is collected."""
    site, trained = party(tmp_path), []
    access = CallAccess(
        services={"water": 3},
        rounds={"water": 9},
        secure=frozenset({"water"} if secure else ()),
    )
    desk = Desk({"a": PartyDesk(access, lambda task: trained.append(task) or site)}, ("a",))
    task = CallTask(party="a", service="water", training="water.level_3", level=3)
    wire = SlowWire({"a": desk}, COORDINATOR)
    exchange = MachineExchange(wire, ("a",), ("a",), {"a": task})
    calls = ConcurrentCalls(exchange)
    calls.begin("a", ASKED, 0.0)
    _, found = calls.next()
    if secure:
        assert "'collect', but 'water' has secure sums here" in found.reason
        return
    assert found.verb == COLLECT
    assert found.layers.keys() == {"h1", "h2", "h3"}
    assert {row[1] for row in exchange.ledger.snapshot()} == {TRAIN, COLLECT}
    assert exchange.deadlines.of("a", TRAIN) == 1200.0  # missed: waited for twice as long
