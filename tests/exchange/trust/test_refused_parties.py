"""A refused party is named with the evidence, left out, and back after three good updates."""

import numpy as np
import pytest

from deepcity.city.errors import ExchangeError
from deepcity.city.level import Layers
from deepcity.exchange.coordinator import Coordinator
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import ERROR, EVALUATE, JOIN, LOSS, ROWS, TRAIN
from deepcity.exchange.rounds import FederationPlan, learn_together
from deepcity.exchange.strategies import FedAvg
from deepcity.exchange.trust.refusals import GOOD_ROUNDS, RefusedUpdate
from deepcity.store.checkpoint import CheckpointStore

SHAPE = (2, 3)


def layers(value: float) -> Layers:
    return {"h1": {"weight": np.full(SHAPE, value, np.float32)}}


class Steady:
    """Sends one value always, but NaN in some rounds, and fails in others."""

    def __init__(self, value, bad=(), down=()):
        self.value, self.bad, self.down = value, bad, down

    def handle(self, message, caller):
        if message.verb != TRAIN:
            numbers = {JOIN: {ROWS: 10.0}, EVALUATE: {ERROR: 1.0}}
            return Message(
                message.verb, numbers.get(message.verb, {ROUND: message.numbers.get(ROUND, 0.0)})
            )
        done = message.numbers[ROUND] + 1
        if done in self.down:
            raise ExchangeError("the line is down")
        return Message(
            TRAIN, {ERROR: 1.0, LOSS: 1.0}, layers(np.nan if done in self.bad else self.value)
        )


def plan(rounds):
    return FederationPlan({"a": 1, "b": 1, "c": 1}, layers(0.0), FedAvg(), rounds)


def means(sites, rounds):
    """The common weight after each round, and the last progress."""
    found = []
    progress = learn_together(
        InProcessExchange(sites),
        plan(rounds),
        after_round=lambda now: found.append(float(now.state.layers["h1"]["weight"][0, 0])),
    )
    return found, progress


def test_three_good_rounds_bring_it_back():
    sites = {"a": Steady(1.0), "b": Steady(1.0), "c": Steady(4.0, bad=(2,))}
    found, progress = means(sites, 7)
    assert found == [2.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0]
    (one,) = progress.refusals
    assert (one.party, one.since, one.good, one.back) == ("c", 2, GOOD_ROUNDS, 6)
    assert "6 of 6 values that are not finite" in one.reason
    assert [len(failed) for failed in progress.failures] == [0, 1, 1, 1, 1, 0, 0, 0]
    assert "refused in round 2, and 2 of 3 good updates have come since" in (
        progress.failures[3][0].reason
    )


def test_a_bad_update_meanwhile_begins_the_count_anew_and_a_later_one_is_another_refusal():
    sites = {"a": Steady(1.0), "b": Steady(1.0), "c": Steady(4.0, bad=(1, 3, 9))}
    found, progress = means(sites, 10)
    assert found == [1.0] * 6 + [2.0, 2.0, 1.0, 1.0]
    assert [(one.since, one.good, one.back) for one in progress.refusals] == [
        (1, 3, 7),
        (9, 1, None),
    ]


def test_who_did_not_answer_counts_again_at_once():
    sites = {"a": Steady(1.0), "b": Steady(1.0), "c": Steady(4.0, down=(2,))}
    found, progress = means(sites, 3)
    assert found == [2.0, 1.0, 2.0]
    assert progress.refusals == ()


@pytest.mark.parametrize("stop", [2, 4])
def test_a_killed_run_remembers_who_is_out(tmp_path, stop):
    whole, _ = means({"a": Steady(1.0), "b": Steady(1.0), "c": Steady(4.0, bad=(2,))}, 7)

    def train(sites, until):
        def after(done):
            if done == until:
                raise InterruptedError

        ledger = Ledger()
        exchange = InProcessExchange(sites, ledger=ledger)
        return Coordinator(exchange, ledger, CheckpointStore(tmp_path)).train("sum", plan(7), after)

    sites = {"a": Steady(1.0), "b": Steady(1.0), "c": Steady(4.0, bad=(2,))}
    with pytest.raises(InterruptedError):
        train(sites, stop)
    training = train(sites, None)
    found = float(training.progress.state.layers["h1"]["weight"][0, 0])
    assert found == whole[-1]
    assert training.progress.refusals == (
        RefusedUpdate("c", training.progress.refusals[0].reason, 2, GOOD_ROUNDS, 6),
    )
