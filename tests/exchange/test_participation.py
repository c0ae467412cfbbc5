"""Parties that join late, leave early or are drawn by lot, over real learners."""

from dataclasses import replace

import numpy as np
import pytest
from test_rounds import Together, equal, raises

from deepcity.city.level import HIDDEN_LAYERS
from deepcity.exchange.message import ROUND
from deepcity.exchange.participation import Participation
from deepcity.exchange.party import EVALUATE, JOIN, TRAIN
from deepcity.exchange.rounds import begin, learn_together, one_round


def together(participation, levels=None, rounds=5, name="fedavg"):
    found = Together(levels or dict.fromkeys("abc", 5), name, rounds=rounds)
    found.plan = replace(found.plan, participation=participation)
    return found


def verbs(heard):
    """What a party was asked, with the rounds of its training (counted from 1)."""
    other_verbs = [message.verb for message in heard.received if message.verb != TRAIN]
    trained = [int(m.numbers[ROUND]) + 1 for m in heard.received if m.verb == TRAIN]
    return other_verbs, trained


def test_a_late_party_is_asked_in_when_it_comes_and_not_before():
    some = together(Participation(joins={"b": 4}))
    progress = some.run()
    assert verbs(some.heard["b"]) == ([JOIN, EVALUATE], [4, 5])
    assert verbs(some.heard["a"]) == ([JOIN, EVALUATE], [1, 2, 3, 4, 5])
    assert ["b" in errors for errors in progress.errors] == [False] * 3 + [True] * 3
    first = next(m for m in some.heard["b"].received if m.verb == TRAIN)
    waiting = together(Participation(joins={"b": 4}), rounds=3).run().outgoing["a"]
    assert equal(first.layers, waiting)  # what the others fused last is what it starts from


def test_until_it_comes_the_others_learn_as_without_it():
    with_late = together(Participation(joins={"b": 3}), rounds=2).run()
    without = together(Participation(), {"a": 5, "c": 5}, rounds=2).run()
    assert equal(with_late.outgoing["a"], without.outgoing["a"])


def test_of_a_party_that_left_nothing_is_asked_or_counted():
    some = together(Participation(leaves={"b": 3}))
    progress = some.run()
    assert verbs(some.heard["b"]) == ([JOIN], [1, 2])
    assert "b" not in progress.weights
    assert progress.outgoing["b"] == {}
    assert ["b" in errors for errors in progress.errors] == [True] * 2 + [False] * 4
    assert not any(progress.failures)


def test_after_it_left_the_others_go_on_as_two():
    some = together(Participation(leaves={"b": 2}), rounds=2)
    middle = one_round(some.exchange, some.plan, begin(some.exchange, some.plan))
    pair = together(Participation(), {"a": 5, "c": 5}, rounds=2)
    for party in "ac":
        pair.learners[party].restore(some.learners[party].state())
    weights = {party: middle.weights[party] for party in "ac"}
    outgoing = {party: middle.outgoing[party] for party in "ac"}
    same = replace(middle, outgoing=outgoing, weights=weights)
    after = one_round(some.exchange, some.plan, middle)
    alone = one_round(pair.exchange, pair.plan, same)
    assert equal(after.outgoing["a"], alone.outgoing["a"])


def test_a_late_party_that_cannot_join_is_asked_again():
    some = together(Participation(joins={"b": 2}))
    inner, calls = some.heard["b"], []

    class Shy:
        def handle(self, message, caller):
            calls.append(message.verb)
            if calls.count(JOIN) <= 2 and message.verb == JOIN:
                raises(message, None)
            return inner.handle(message, caller)

    some.heard["b"] = Shy()
    progress = some.run()
    assert [[f.party for f in failed] for failed in progress.failures] == [[], ["b"], ["b"]] + [
        []
    ] * 3
    assert calls == [JOIN, JOIN, JOIN, TRAIN, TRAIN, EVALUATE]


@pytest.mark.parametrize("name", ["fedavg", "fedamp"])
def test_a_share_is_drawn_for_each_round_and_who_waits_receives_the_newest(name):
    some = together(Participation(fraction=0.5, seed=3), dict.fromkeys("abcd", 5), 8, name)
    progress = some.run()
    sampled = [set(errors) for errors in progress.errors[:-1]]
    assert all(len(names) == 2 for names in sampled)
    assert len({tuple(sorted(names)) for names in sampled}) > 2
    assert set(progress.errors[-1]) == set("abcd")
    if name == "fedavg":
        layers = {party: some.layers(party, HIDDEN_LAYERS) for party in "abcd"}
        assert all(equal(layers["a"], layers[party]) for party in "bcd")


def test_draws_follow_from_the_seed():
    def sampled_parties(seed):
        participation = Participation(fraction=0.5, seed=seed)
        return [participation.sampled(("a", "b", "c", "d"), done) for done in range(20)]

    assert sampled_parties(1) == sampled_parties(1) != sampled_parties(2)
    assert {party for names in sampled_parties(1) for party in names} == set("abcd")


def test_a_run_that_stops_between_rounds_goes_on_the_same():
    participation = Participation(joins={"b": 3}, leaves={"c": 4}, fraction=0.7, seed=1)
    whole = together(participation, dict.fromkeys("abcd", 5))
    whole.run()
    halted = together(participation, dict.fromkeys("abcd", 5))
    progress = begin(halted.exchange, halted.plan)
    for _ in range(3):
        progress = one_round(halted.exchange, halted.plan, progress)
    again = together(participation, dict.fromkeys("abcd", 5))
    for party, learner in halted.learners.items():
        again.learners[party].restore(learner.state())
    learn_together(again.exchange, again.plan, progress)
    for party in "abcd":
        assert equal(whole.layers(party), again.layers(party))


def test_nobody_there_is_no_error():
    some = together(Participation(joins=dict.fromkeys("abc", 2)), rounds=2)
    progress = some.run()
    assert progress.errors[0] == {}
    assert set(progress.errors[1]) == set("abc")
    assert all(np.isfinite(list(errors.values())).all() for errors in progress.errors)


def test_who_waited_gets_what_was_fused_while_it_was_away():
    """Even if in the round before it comes nothing was fused."""
    some = together(Participation(joins={"b": 3}), rounds=2)
    progress = one_round(some.exchange, some.plan, begin(some.exchange, some.plan))
    fused = progress.outgoing["a"]
    for party in "ac":
        some.heard[party].spoil = raises
    progress = one_round(some.exchange, some.plan, progress)
    assert progress.outgoing["a"] == {}
    assert fused
    assert equal(fused, progress.outgoing["b"])
