"""A killed training with secure sums within groups asks the same groups again, to the same end."""

from dataclasses import dataclass, replace

import pytest
from test_group_rounds import Grouped
from test_secure_rounds import LittleParty, equal

from deepcity.exchange.coordinator import Coordinator
from deepcity.exchange.exchange import UnknownOutcomeError
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import FINISH, RESTORE, STATUS, TRAIN
from deepcity.exchange.secure.summing_party import SUM_SHARES, unpacked
from deepcity.store.checkpoint import CheckpointStore

ELEVEN = "abcdefghijk"
ROUNDS = 5


class Killed(BaseException):
    """What ends a process in these tests."""


@dataclass
class KeptParty(LittleParty):
    """A little party whose checkpoints are always there."""

    def handle(self, message, caller):
        if message.verb in (STATUS, RESTORE):
            return Message(message.verb, {ROUND: message.numbers[ROUND]})
        return Message(FINISH) if message.verb == FINISH else super().handle(message, caller)


def late_in_the_second_round(message, answer):
    if message.verb == TRAIN and message.numbers[ROUND] == 1:
        raise UnknownOutcomeError("no answer after 5 s")
    return answer


def run(folder, *, stop_at=None, late=()):
    """A training kept in a folder, with new keys and identities; its end, and who was asked."""
    little = Grouped(ELEVEN, rounds=ROUNDS)
    for party, line in little.lines.items():
        line.inner.inner = KeptParty(party, 6)
        line.change = late_in_the_second_round if party in late else None

    def after_round(done):
        if done == stop_at:
            raise Killed

    ledger = Ledger()
    exchange = InProcessExchange(little.lines, ledger=ledger)
    store = CheckpointStore(folder / "coordinator")
    plan = replace(little.plan, rounds=ROUNDS)
    try:
        training = Coordinator(exchange, ledger, store).train("bikes.level6", plan, after_round)
    except Killed:
        training = None
    return training, asked(little)


def asked(little):
    """Round -> the groups that were asked to agree on masks."""
    found = {}
    for line in little.lines.values():
        for message, _ in line.passed:
            if message.verb == SUM_SHARES:
                groups = found.setdefault(int(message.numbers[ROUND]), set())
                groups |= {tuple(sorted(one)) for one in unpacked(message.layers).values()}
    return found


@pytest.mark.parametrize("late", ["", "d"])
@pytest.mark.parametrize("stop_at", [1, 3])
def test_a_killed_training_goes_on_with_the_same_groups(tmp_path, stop_at, late):
    whole, groups = run(tmp_path / "whole", late=late)
    _, before = run(tmp_path / "killed", stop_at=stop_at, late=late)
    again, after = run(tmp_path / "killed", late=late)
    assert set(before) == set(range(stop_at))
    assert set(after) == set(range(stop_at, ROUNDS))
    assert before | after == groups
    assert len({tuple(sorted(one)) for one in groups.values()}) == ROUNDS
    assert equal(whole.progress.state.layers, again.progress.state.layers)
    assert whole.progress.failures == again.progress.failures
    assert bool(whole.progress.failures[1]) is bool(late)
