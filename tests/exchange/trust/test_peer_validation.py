"""Members validate each other's updates; who spoils forecasts is left out, whoever lies of it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.city.errors import ExchangeError
from deepcity.exchange.exchange import Failure
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import ERROR, EVALUATE, JOIN, LOSS, ROWS, TRAIN, VALIDATE
from deepcity.exchange.rounds import FederationPlan, learn_together
from deepcity.exchange.strategies import FedAvg, PeerValidation
from deepcity.exchange.trust.peer_validation import left_out_by_peers

SHAPE = (2, 3)


def layers(value):
    return {"h1": {"weight": np.full(SHAPE, value, np.float32)}}


class Peer:
    """Sends a value; its error with a layer is the distance from 1, and a little.

    A liar answers with numbers of its own.
    """

    def __init__(self, value, answer=None, shape=SHAPE):
        self.value, self.answer, self.shape, self.validated = value, answer, shape, []

    def handle(self, message, caller):
        if message.verb == TRAIN:
            return Message(TRAIN, {ERROR: 1.0, LOSS: 1.0}, layers(self.value))
        if message.verb != VALIDATE:
            numbers = {JOIN: {ROWS: 10.0}, EVALUATE: {ERROR: 1.0}}
            return Message(message.verb, numbers.get(message.verb, {ROUND: 0.0}))
        self.validated.append(message)
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is not None:
            return Message(VALIDATE, {ERROR: self.answer(message)})
        value = float(message.layers["h1"]["weight"][0, 0])
        return Message(VALIDATE, {ERROR: 1.0 + abs(value - 1.0)})


def left_out(sites, tolerated=2.0, own=None):
    updates = {name: layers(site.value) for name, site in sites.items()}
    shared = own or {name: layers(0.0) for name in sites}
    return left_out_by_peers(InProcessExchange(sites), updates, shared, 0, tolerated)


def test_who_spoils_forecasts_is_named_with_the_evidence():
    sites = {"a": Peer(1.0), "b": Peer(1.1), "c": Peer(0.9), "d": Peer(9.0)}
    (one,) = left_out(sites)
    assert one.party == "d"
    assert "8.18 times as much as with their own, over 2 times the usual" in one.reason
    assert not left_out({name: sites[name] for name in "abc"})


@given(
    lie=st.one_of(
        st.sampled_from([0.0, math.nan, math.inf, -1.0, 1e38]), st.floats(0, 1e9, width=32)
    ),
    liar=st.sampled_from("abcd"),
)
def test_one_lying_validator_neither_clears_nor_condemns_anybody(lie, liar):
    """The liar among the validators may send a good or a bad update itself."""
    values = {"a": 1.0, "b": 1.1, "c": 0.9, "d": 1.05}
    values[liar] = 50.0
    sites = {
        name: Peer(value, (lambda _message: lie) if name == liar else None)
        for name, value in values.items()
    }
    assert [one.party for one in left_out(sites)] == [liar]


def test_validators_that_fail_or_have_no_truth_abstain():
    for answer in (ExchangeError("away"), lambda _message: math.nan):
        sites = {
            "a": Peer(1.0),
            "b": Peer(1.1),
            "c": Peer(9.0),
            "d": Peer(0.9, answer),
        }
        assert [one.party for one in left_out(sites)] == ["c"]


def test_of_two_members_none_is_validated():
    sites = {"a": Peer(1.0), "b": Peer(99.0)}
    assert not left_out(sites)
    assert not sites["a"].validated


def test_a_validator_gets_the_layers_that_it_shares_in_its_own_shapes_alone():
    sites = {"a": Peer(1.0), "b": Peer(1.0), "c": Peer(1.0)}
    sites["c"].answer = lambda message: 1.0
    other = {"h1": {"weight": np.zeros((7, 7), np.float32)}}
    left_out(sites, own={"a": layers(0.0), "b": layers(0.0), "c": other})
    assert all(not message.layers for message in sites["c"].validated)
    assert all(message.layers for message in sites["a"].validated)


def test_the_mean_is_without_it_and_it_comes_back_after_good_rounds():
    sites = {"a": Peer(1.0), "b": Peer(1.0), "c": Peer(1.0), "d": Peer(9.0)}
    found = []

    def after(progress):
        found.append(float(progress.state.layers["h1"]["weight"][0, 0]))
        if progress.round == 2:
            sites["d"].value = 1.0

    plan = FederationPlan(dict.fromkeys(sites, 1), layers(0.0), PeerValidation(), 7)
    progress = learn_together(InProcessExchange(sites), plan, after_round=after)
    assert found == [1.0] * 7
    (one,) = progress.refusals
    assert (one.party, one.since, one.back) == ("d", 1, 6)
    assert "others err" in one.reason
    assert isinstance(progress.failures[0][0], Failure)
    sites["d"].value = 9.0
    plain = learn_together(
        InProcessExchange(sites), FederationPlan(plan.levels, plan.reference, FedAvg(), 1)
    )
    assert float(plain.state.layers["h1"]["weight"][0, 0]) == 3.0


@pytest.mark.parametrize("tolerated", [1.0, 0.5, math.nan, 1e9])
def test_a_tolerance_that_is_none_is_refused(tolerated):
    with pytest.raises(ValueError, match="tolerated"):
        PeerValidation(tolerated=tolerated)
