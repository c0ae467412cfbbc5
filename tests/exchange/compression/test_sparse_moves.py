"""Sparse moves: the greatest are sent, nothing is lost, and what gives no layer is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from deepcity.exchange.compression.sparse_moves import (
    MARKS,
    VALUES,
    SparseLayerError,
    SparseMoves,
    densified,
    is_sparse,
)
from deepcity.exchange.compression.sparse_party import SparseParty, densified_updates
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import ERROR, EVALUATE, JOIN, RESTORE, ROWS, TRAIN
from deepcity.exchange.rounds import FederationPlan, learn_together
from deepcity.exchange.strategies import FedAvg
from deepcity.store.checkpoint import CheckpointStore


def layer(values):
    return {"weight": np.asarray(values, np.float32)}


@settings(max_examples=40, deadline=None)
@given(
    shape=some.tuples(some.integers(1, 9), some.integers(1, 9)),
    keep=some.floats(0.01, 1.0),
    precision=some.sampled_from(["float32", "float16"]),
    seed=some.integers(0, 2**32),
)
def test_what_is_sent_and_what_is_left_are_the_move(shape, keep, precision, seed):
    rng = np.random.default_rng(seed)
    received, trained = layer(rng.normal(size=shape)), layer(rng.normal(size=shape))
    before_V = rng.normal(size=np.prod(shape)).astype(np.float32)
    sent, residual_V = SparseMoves(keep, precision).sparsify(trained, received, before_V)
    moved_V = densified(sent, received)["weight"].ravel() - received["weight"].ravel()
    whole_V = trained["weight"].ravel() - received["weight"].ravel() + before_V
    np.testing.assert_allclose(moved_V + residual_V, whole_V, atol=1e-5)
    count = max(1, int(np.ceil(keep * whole_V.size)))
    assert len(sent[VALUES]) == min(count, whole_V.size)
    kept = np.unpackbits(sent[MARKS])[: whole_V.size].astype(bool)
    assert np.abs(whole_V[kept]).min() >= np.abs(whole_V[~kept]).max(initial=0)


def test_all_moves_at_full_precision_are_the_layer():
    trained, received = layer([[1.0, 2.0], [3.0, 5.0]]), layer(np.zeros((2, 2)))
    sent, residual_V = SparseMoves(1.0).sparsify(trained, received, None)
    assert np.array_equal(densified(sent, received)["weight"], trained["weight"])
    assert not residual_V.any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_a_move_that_is_not_finite_goes_whole_and_leaves_nothing_behind(bad):
    trained, received = layer([1.0, bad, 0.0]), layer([0.0, 0.0, 0.0])
    sent, residual_V = SparseMoves(0.5, "float16").sparsify(trained, received, None)
    assert not is_sparse(sent)
    assert sent is trained
    assert not residual_V.any()


WRONG = {
    "marks are float32": {MARKS: np.zeros(1, np.float32), VALUES: np.zeros(0, np.float32)},
    "of shape (2,), not a bit for each of 3": {
        MARKS: np.zeros(2, np.uint8),
        VALUES: np.zeros(0, np.float32),
    },
    "beyond the last value": {MARKS: np.array([1], np.uint8), VALUES: np.zeros(1, np.float32)},
    "1 moves are marked, and its values are float32 of shape (2,)": {
        MARKS: np.array([128], np.uint8),
        VALUES: np.zeros(2, np.float32),
    },
    "values are int64": {MARKS: np.array([128], np.uint8), VALUES: np.zeros(1, np.int64)},
}


@pytest.mark.parametrize("reason", WRONG)
def test_what_gives_no_layer_is_refused_with_the_reason(reason):
    with pytest.raises(SparseLayerError) as refused:
        densified(WRONG[reason], layer([0.0, 0.0, 0.0]))
    assert reason in str(refused.value)
    updates, (failure,) = densified_updates(
        {"a": {"h1": WRONG[reason]}, "b": {}},
        {"a": {"h1": layer([0.0, 0.0, 0.0])}, "b": {}},
        SparseMoves(0.5),
    )
    assert updates == {"b": {}}
    assert failure.party == "a"


class Walker:
    """Training that goes a tenth of the way to a goal of its own, from what it received."""

    def __init__(self, goal):
        self.goal, self.at = goal, np.zeros_like(goal)

    def handle(self, message, caller):
        if message.verb == JOIN:
            return Message(JOIN, {ROWS: 10.0})
        self.at = message.layers.get("h1", {"weight": self.at})["weight"]
        if message.verb == EVALUATE:
            return Message(EVALUATE, {ERROR: 1.0})
        if message.verb == RESTORE:
            return Message(RESTORE, {ROUND: message.numbers[ROUND]})
        return Message(TRAIN, {ERROR: 1.0}, {"h1": layer(self.at + 0.1 * (self.goal - self.at))})


def walked(keep, precision="float32", rounds=120, size=40):
    rng = np.random.default_rng(0)
    goals = {party: rng.normal(size=size).astype(np.float32) for party in "abc"}
    moves = None if keep is None else SparseMoves(keep, precision)
    sites = {
        party: Walker(goal) if moves is None else SparseParty(Walker(goal), moves)
        for party, goal in goals.items()
    }
    reference = {"h1": layer(np.zeros(size))}
    plan = FederationPlan(dict.fromkeys("abc", 1), reference, FedAvg(), rounds, sparse=moves)
    ledger = Ledger()
    states: list[np.ndarray] = []
    progress = learn_together(
        InProcessExchange(sites, ledger=ledger, precision=precision),
        plan,
        after_round=lambda now: states.append(now.state.layers["h1"]["weight"]),
    )
    assert not any(progress.failures)
    goal = np.mean(list(goals.values()), axis=0)
    return np.abs(np.mean(states[-60:], axis=0) - goal).max(), ledger


def test_a_tenth_of_the_moves_circles_where_all_of_them_end():
    """Without what is made up for later, values that move little would never be sent."""
    whole, _ = walked(None)
    sparse, _ = walked(0.1, rounds=200)
    half, _ = walked(0.1, "float16", rounds=200)
    assert whole < 1e-2
    assert sparse < 0.1
    assert half < 0.1


def test_a_tenth_of_the_moves_is_a_sixth_of_the_bytes():
    size, rounds = 4000, 2
    _, dense = walked(None, "float16", rounds, size)
    _, sparse = walked(0.1, "float16", rounds, size)
    ratio = sparse.sent_by_layer()["h1"] / dense.sent_by_layer()["h1"]
    assert ratio == pytest.approx((1 / 8 + 0.1 * 2) / 2, rel=0.01)


def test_what_is_left_is_kept_with_checkpoints_and_forgotten_by_a_new_run(tmp_path):
    goal, zeros = np.arange(8, dtype=np.float32), {"h1": layer(np.zeros(8))}
    store = CheckpointStore(tmp_path)

    def site():
        return SparseParty(Walker(goal), SparseMoves(0.25), store, "bikes")

    def train(one, number):
        message = Message(TRAIN, {ROUND: float(number)}, zeros)
        return one.handle(message, COORDINATOR).layers["h1"][VALUES]

    whole = site()
    expected = [train(whole, number) for number in range(3)]
    again = site()
    again.handle(Message(RESTORE, {ROUND: 2.0}), COORDINATOR)
    np.testing.assert_array_equal(train(again, 2), expected[2])
    assert not np.array_equal(expected[2], expected[0])
    again.handle(Message(JOIN), COORDINATOR)
    np.testing.assert_array_equal(train(again, 0), expected[0])
