"""Asynchronous fusion among real learners, on a clock that is simulated."""

from dataclasses import replace

import numpy as np
import pytest
from test_rounds import Together, equal

from deepcity.city.errors import ExchangeError
from deepcity.city.level import HEAD, LADDER
from deepcity.exchange.asynchronous.buffered_fusion import (
    AwaitedUpdate,
    BufferedFusion,
    BufferedUpdate,
    rebased,
)
from deepcity.exchange.asynchronous.fusions import learn_asynchronously, with_answer
from deepcity.exchange.asynchronous.pending_calls import SimulatedCalls
from deepcity.exchange.exchange import Failure
from deepcity.exchange.fusion import LARGEST
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.participation import Participation
from deepcity.exchange.party import ERROR, LOSS, TRAIN
from deepcity.exchange.rounds import begin

SLOW = {"c": 20.0}


class Asynchronously(Together):
    """Parties whose updates are fused as they come."""

    def __init__(self, levels, *, size=2, exponent=0.5, seconds=None, rounds=3, **how):
        super().__init__(levels, rounds=rounds, **how)
        self.seconds = seconds or {}
        self.plan = replace(self.plan, asynchronous=BufferedFusion(size, exponent))

    def run(self, **how):
        calls = SimulatedCalls(self.exchange, self.seconds)
        return learn_asynchronously(self.exchange, calls, self.plan, **how)

    def trained(self, party):
        """The versions that a party trained."""
        received = self.heard[party].received
        return [int(one.numbers[ROUND]) for one in received if one.verb == TRAIN]


@pytest.mark.parametrize("name", ["fedavg", "fedamp", "norm_clipping"])
def test_a_buffer_of_all_gives_the_rounds_that_wait_for_all(name):
    levels = {"a": 6, "b": 5, "c": 2}
    waiting = Together(levels, name)
    expected = waiting.run()
    free = Asynchronously(levels, name=name, size=3, seconds=SLOW)
    found = free.run()
    assert equal(found.state.layers, expected.state.layers)
    assert found.errors == expected.errors
    assert found.trained == expected.trained
    for party in levels:
        assert equal(free.layers(party), waiting.layers(party))


def test_nobody_waits_for_the_slowest():
    together = Asynchronously({"a": 6, "b": 6, "c": 6}, seconds={"b": 1.5, "c": 20.0}, rounds=16)
    progress = together.run()
    assert together.trained("a") == list(range(16))
    assert together.trained("b") == [*range(14), 15]
    assert together.trained("c") == [0, 14]
    fused = progress.asynchronous.fused_s
    # a is done after 1 s and waits for b; c comes after 20 s and is fused with a; then b with a,
    # and the last fusion waits for all
    assert fused == (*(1.5 * n for n in range(1, 14)), 20.5, 21.5, 40.5)
    with_c = {"a", "b", "c"}
    parties = [set(errors) for errors in progress.errors]
    assert parties == [{"a", "b"}] * 13 + [{"a", "c"}, {"a", "b"}, with_c, with_c]
    assert progress.trained == {"a": 16, "b": 16, "c": 15}
    assert not any(progress.failures)


def test_parties_of_one_speed_give_the_rounds_that_wait_for_all():
    levels = {"a": 6, "b": 6, "c": 6}
    expected, found = Together(levels).run(), Asynchronously(levels, size=1).run()
    assert equal(found.state.layers, expected.state.layers)
    assert found.errors == expected.errors


def test_a_run_is_the_same_each_time():
    def run():
        together = Asynchronously({"a": 6, "b": 3, "c": 6}, seconds=SLOW, rounds=8)
        return together.run()

    first, again = run(), run()
    assert equal(first.state.layers, again.state.layers)
    assert first.errors == again.errors
    assert first.asynchronous == again.asynchronous


def test_a_stale_update_counts_by_its_moves_and_less():
    """a and b are fused twice before c comes; then c's moves weigh 1/sqrt(3) in the third."""
    seen = []
    together = Asynchronously({"a": 6, "b": 6, "c": 6}, seconds={"c": 2.5}, rounds=3)
    together.plan = replace(together.plan, equal=True)
    progress = together.run(after_fusion=lambda now: seen.append(now.state.layers))
    sent = {party: together.heard[party].sent for party in "abc"}
    received = together.heard["c"].received[1]
    assert received.numbers[ROUND] == 0.0
    fresh = [sent[party][3].layers for party in "ab"]
    late = sent["c"][1].layers
    for layer in LADDER[:-1]:
        for name, values in progress.state.layers[layer].items():
            last = seen[1][layer][name].astype(np.float64)
            move = late[layer][name] - received.layers[layer][name].astype(np.float64)
            wanted = (fresh[0][layer][name] + fresh[1][layer][name] + last + move / np.sqrt(3)) / 3
            np.testing.assert_allclose(values, wanted, rtol=1e-5, atol=1e-6)
            assert np.abs(move).max() > 1e-4


def update(version, value, base=None):
    layers = {"h1": {"w": np.full(2, value, np.float32)}}
    sent = {} if base is None else {"h1": {"w": np.full(2, base, np.float32)}}
    return BufferedUpdate(version, sent, layers)


@pytest.mark.parametrize(
    ("base", "value", "wanted"),
    [(1.0, 3.0, 6.0), (None, 3.0, 4.0), (-6e4, 6e4, LARGEST), (6e4, -6e4, -LARGEST)],
)
def test_moves_are_counted_from_what_was_sent_and_stay_in_range(base, value, wanted):
    last = {"h1": {"w": np.full(2, 5.0, np.float32)}}
    found = rebased(update(0, value, base), last, 0.5 if abs(value) < 10 else 1.0)
    np.testing.assert_array_equal(found["h1"]["w"], np.float32(wanted))


def test_without_a_weight_of_staleness_moves_still_count_from_what_was_sent():
    one = Asynchronously({"a": 6, "b": 6, "c": 6}, seconds={"c": 2.5}, exponent=0.0).run()
    other = Asynchronously({"a": 6, "b": 6, "c": 6}, seconds={"c": 2.5}, exponent=0.5).run()
    assert not equal(one.state.layers, other.state.layers)


def test_an_answer_that_comes_twice_counts_once():
    together = Asynchronously({"a": 6, "b": 6})
    progress = begin(together.exchange, together.plan)
    base = progress.outgoing["a"]
    state = replace(progress.asynchronous, awaited={"a": AwaitedUpdate(0, base)})
    progress = replace(progress, asynchronous=state)
    reply = Message(TRAIN, {ERROR: 1.0, LOSS: 1.0}, base)
    once = with_answer(together.plan, progress, "a", reply, 1.0)
    assert once.asynchronous.buffer.keys() == {"a"}
    assert once.trained == {"a": 1}
    assert with_answer(together.plan, once, "a", reply, 2.0) is once
    assert with_answer(together.plan, once, "b", reply, 2.0) is once


def test_a_party_that_fails_is_named_and_sent_the_same_layers_and_newer_ones_again():
    def crash(message, answer):
        if message.numbers[ROUND] == 1:
            raise ExchangeError("no power")
        return answer

    together = Asynchronously({"a": 6, "b": 6, "c": 6}, rounds=3)
    together.heard["b"].spoil = crash
    progress = together.run()
    assert [[one.party for one in failed] for failed in progress.failures] == [[], ["b"], [], []]
    again = [one for one in together.heard["b"].received if one.verb == TRAIN][2]
    assert again.layers.keys() == {*LADDER}
    assert progress.trained == {"a": 3, "b": 3, "c": 3}


def test_where_nobody_answers_the_training_ends_with_all_named():
    def crash(message, answer):
        raise ExchangeError("no power")

    together = Asynchronously({"a": 6, "b": 6}, rounds=2)
    for heard in together.heard.values():
        heard.spoil = crash
    progress = together.run()
    assert progress.round == 2
    assert all(len(failed) == 2 for failed in progress.failures[:2])


def test_an_update_that_cannot_be_used_fills_no_buffer():
    def poison(message, answer):
        if message.numbers[ROUND] == 0:
            for tensor in answer.layers["h1"].values():
                tensor[...] = np.nan
        return answer

    together = Asynchronously({"a": 6, "b": 6, "c": 6}, seconds=SLOW, rounds=3)
    together.heard["b"].spoil = poison
    progress = together.run()
    assert progress.asynchronous.fused_s[0] == 20.0  # of a and c
    assert [one.party for one in progress.refusals] == ["b"]
    assert "b" in str(progress.failures[0])


def test_parties_that_come_late_and_leave_early():
    together = Asynchronously({"a": 6, "b": 6, "c": 6, "d": 6}, seconds=SLOW, rounds=8)
    timed = Participation(joins={"d": 3}, leaves={"c": 4, "b": 6})
    together.plan = replace(together.plan, participation=timed)
    progress = together.run()
    assert together.trained("d")[0] == 2
    assert together.trained("b") == [0, 1, 2, 3, 4]
    assert together.trained("c") == [0]
    assert progress.outgoing["b"] == progress.outgoing["c"] == {}
    left = [one for failed in progress.failures for one in failed]
    assert left == [Failure("c", "it left before its update could be fused")]


def test_the_last_fusion_waits_for_all_that_are_at_work():
    together = Asynchronously({"a": 6, "b": 6, "c": 6}, seconds=SLOW, rounds=4)
    progress = together.run()
    assert progress.asynchronous.fused_s == (1.0, 2.0, 3.0, 20.0)
    assert progress.errors[3].keys() == {"a", "b", "c"}
    assert not progress.asynchronous.awaited
    assert not progress.asynchronous.buffer
    assert HEAD in progress.outgoing["c"]
