"""Rounds with secure sums over the embedded exchange; updates are quick stand-ins."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from deepcity.city.errors import ExchangeError
from deepcity.city.level import HEAD, layers_up_to
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import ERROR, EVALUATE, JOIN, LOSS, ROWS, TRAIN
from deepcity.exchange.rounds import FederationPlan, begin, learn_together, one_round
from deepcity.exchange.secure.summing_party import (
    MASKS,
    SUM_KEYS,
    SUM_SHARES,
    SUM_UNMASK,
    packed,
    secured,
    unpacked,
)
from deepcity.exchange.strategies import FedAvg


@dataclass
class Line:
    """Between coordinator and a site: keeps what passes, and may lose or change it."""

    inner: object
    lose: tuple = ()
    change: object = None
    passed: list = field(default_factory=list)

    def handle(self, message, caller):
        if message.verb in self.lose:
            raise ExchangeError("the line is down")
        answer = self.inner.handle(message, caller)
        answer = self.change(message, answer) if self.change else answer
        self.passed.append((message, answer))
        return answer


LAYERS = {
    **{f"h{depth}": {"weight": (4, 4), "bias": (4,)} for depth in range(1, 6)},
    HEAD: {"weight": (3, 4)},
}


@dataclass
class LittleParty:
    """A party whose training adds noise of its own to fixed layers; quick, and the same always."""

    party: str
    level: int
    spoil: object = None

    def handle(self, message, caller):
        if caller != COORDINATOR:
            raise ExchangeError("only the coordinator leads rounds")
        if message.verb != TRAIN:
            numbers = {JOIN: {ROWS: 40.0 + ord(self.party)}, EVALUATE: {ERROR: 0.5}}
            return Message(message.verb, numbers[message.verb])
        rng = np.random.default_rng([ord(self.party), int(message.numbers[ROUND])])
        layers = {
            layer: {
                n: rng.normal(size=shape).astype(np.float32) for n, shape in LAYERS[layer].items()
            }
            for layer in layers_up_to(self.level)
        }
        answer = Message(TRAIN, {ERROR: 0.5, LOSS: 0.5}, layers)
        return self.spoil(message, answer) if self.spoil else answer


class Plain:
    """Little parties at their levels, and the plan that they follow."""

    def __init__(self, levels, rounds=1):
        reference = {
            layer: {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
            for layer, shapes in LAYERS.items()
        }
        self.parties = {party: LittleParty(party, level) for party, level in levels.items()}
        self.plan = FederationPlan(levels, reference, FedAvg(), rounds)
        self.exchange = InProcessExchange(self.parties)

    def run(self):
        return learn_together(self.exchange, self.plan)


class Secure(Plain):
    """The same with secure sums, and a line to each party."""

    def __init__(self, levels, rounds=1):
        super().__init__(levels, rounds)
        around = secured(self.parties, "bikes.level6")
        self.lines = {party: Line(handler) for party, handler in around.items()}
        self.exchange = InProcessExchange(self.lines)
        self.plan = replace(self.plan, secure="bikes.level6")


FOUR = dict.fromkeys("abcd", 6)


def equal(left, right):
    return close(left, right, within=0)


def close(left, right, within=2e-6):
    return all(
        np.allclose(left[layer][name], right[layer][name], rtol=0, atol=within)
        for layer in left
        for name in left[layer]
    )


def test_a_round_gives_the_plain_mean_to_rounding():
    plain, secure = Plain(FOUR), Secure(FOUR)
    expected, found = plain.run(), secure.run()
    assert close(expected.state.layers, found.state.layers)
    assert found.failures == ((), ())
    assert found.errors[0] == expected.errors[0]


def test_the_same_seed_gives_the_same_bits_whatever_the_masks():
    first, second = Secure(FOUR, 3).run(), Secure(FOUR, 3).run()
    assert equal(first.state.layers, second.state.layers)


def test_no_layer_passes_but_under_masks():
    secure = Secure(FOUR)
    secure.run()
    for line in secure.lines.values():
        for message, answer in line.passed:
            for layer, tensors in answer.layers.items():
                assert message.verb in (TRAIN, SUM_KEYS, SUM_SHARES, SUM_UNMASK)
                kind = np.uint8 if layer == MASKS else np.uint32
                assert all(tensor.dtype == kind for tensor in tensors.values())


@pytest.mark.parametrize("verb", [SUM_KEYS, SUM_SHARES, TRAIN, SUM_UNMASK])
def test_a_member_that_drops_out_at_any_step_costs_only_its_part(verb):
    ten = dict.fromkeys("abcdefghij", 2)
    secure, plain = Secure(ten), Plain(ten)
    for party in "aei":
        secure.lines[party].lose = (verb,)
    found = one_round(secure.exchange, secure.plan, begin(secure.exchange, secure.plan))
    assert {failure.party for failure in found.failures[0]} == set("aei")
    begun = begin(plain.exchange, plain.plan)
    stay = ten if verb == SUM_UNMASK else {p: 2 for p in ten if p not in "aei"}
    expected = one_round(plain.exchange, replace(plain.plan, levels=stay), begun)
    assert close(expected.state.layers, found.state.layers)


@pytest.mark.parametrize(
    ("verb", "reason"),
    [
        (SUM_KEYS, "has 2 members, and a sum of two"),
        (SUM_SHARES, "2 of 4 members shared their secrets, and 3 are needed"),
        (TRAIN, "2 of 4 members sent theirs, and 3 are needed"),
        (SUM_UNMASK, "2 of 4 members stayed, and 3 are needed"),
    ],
)
def test_with_fewer_than_the_threshold_the_round_is_lost_and_the_next_goes_on(verb, reason):
    secure = Secure(FOUR)
    for party in "ab":
        secure.lines[party].lose = (verb,)
    begun = begin(secure.exchange, secure.plan)
    lost = one_round(secure.exchange, secure.plan, begun)
    assert equal(lost.state.layers, begun.state.layers)
    assert any(reason in failure.reason for failure in lost.failures[0])
    if verb in (SUM_SHARES, TRAIN):  # nobody was asked for what would open single parts
        assert not [m for m, _ in secure.lines["c"].passed if m.verb == SUM_UNMASK]
    for party in "ab":
        secure.lines[party].lose = ()
    again = one_round(secure.exchange, secure.plan, lost)
    assert not again.failures[-1]
    assert not equal(again.state.layers, lost.state.layers)


def test_layers_with_other_members_are_other_sums():
    levels = {"a": 6, "b": 6, "c": 6, "d": 2, "e": 2}
    plain, secure = Plain(levels), Secure(levels)
    expected, found = plain.run(), secure.run()
    assert close(expected.state.layers, found.state.layers)
    groups = unpacked(secure.lines["a"].passed[1][1].layers)
    assert set(groups) == {"h1+h2", "h3+h4+h5+head"}


def test_a_group_of_two_keeps_its_layers_and_is_named():
    secure = Secure({"a": 6, "b": 6, "c": 2, "d": 2, "e": 2})
    found = secure.run()
    reasons = {one.party: one.reason for one in found.failures[0]}
    assert set(reasons) == {"a", "b"}
    assert "its h3, h4, h5, head are in no sum of this round" in reasons["a"]
    assert "2 members, and a sum of two shows each the other's" in reasons["a"]
    for message, answer in secure.lines["a"].passed:
        assert not {"h3", HEAD} & set(answer.layers)
        assert message.verb == TRAIN or not {"h3", HEAD} & set(message.layers)


def test_frozen_layers_are_in_no_sum():
    secure = Secure(FOUR)
    secure.plan = replace(secure.plan, unsent=frozenset({"h1"}))
    secure.run()
    assert all("h1" not in answer.layers for _, answer in secure.lines["a"].passed)


def test_a_site_whose_values_no_sum_holds_refuses_and_the_others_go_on():
    secure = Secure(dict.fromkeys("abcde", 6))

    def spoil(_message, answer):
        head = {name: np.full_like(part, 1e30) for name, part in answer.layers[HEAD].items()}
        return replace(answer, layers={**answer.layers, HEAD: head})

    secure.parties["a"].spoil = spoil
    found = secure.run()
    assert [one.party for one in found.failures[0]] == ["a"]
    assert "values reach 1e+30, and a secure sum holds up to 64" in found.failures[0][0].reason


def test_a_plain_vector_or_one_of_another_shape_is_no_part_of_a_sum():
    def plain_ones(message, answer):
        if message.verb != TRAIN:
            return answer
        ones = {
            layer: {name: np.ones(part.shape, np.float32) for name, part in tensors.items()}
            for layer, tensors in answer.layers.items()
        }
        return replace(answer, layers=ones)

    secure = Secure(FOUR)
    secure.lines["d"].change = plain_ones
    found = secure.run()
    assert [str(one) for one in found.failures[0]] == [
        "d: its part of a secure sum is no masked vector: "
        "h1/weight is float32 (4, 4), not uint32 (4, 4)"
    ]


def asked(secure, party, verb, parts=None, number=0.0, **numbers):
    message = Message(verb, {ROUND: number, **numbers}, packed(parts or {}))
    return secure.exchange.call(party, message)


def refused(match):
    return pytest.raises(ExchangeError, match=match)


def test_a_site_asked_for_layers_without_a_sum_gives_none():
    secure = Secure(FOUR)
    secure.exchange.call("a", Message(JOIN))
    answer = secure.exchange.call("a", Message(TRAIN, {ROUND: 0.0}))
    assert answer.layers == {}


def test_steps_out_of_turn_and_repeated_ones_are_refused():
    secure = Secure(FOUR)
    with refused("has keys for none. Ask for keys first"):
        asked(secure, "a", SUM_SHARES)
    asked(secure, "a", SUM_KEYS, {"h1+h2": {"a": b""}})
    with refused("not at this step of the sum of h1"):
        asked(secure, "a", SUM_UNMASK, {"h1+h2": {"a": b"\1"}})
    with refused("'sum_shares' of round 1, while a has keys for 0"):
        asked(secure, "a", SUM_SHARES, number=1.0)
    with refused("32 bytes are no signed keys"):
        asked(secure, "a", SUM_SHARES, {"h1+h2": {"a": bytes(32)}})
    with refused("not at this step"):  # a refused roster ends the sum
        asked(secure, "a", SUM_SHARES, {"h1+h2": {"a": bytes(160)}})


def test_what_was_opened_once_is_not_opened_again():
    """Asked again for a round's unmasking, or for a round anew, a site refuses."""
    secure = Secure(FOUR, 2)
    begun = begin(secure.exchange, secure.plan)
    one_round(secure.exchange, secure.plan, begun)
    unmask = [message for message, _ in secure.lines["a"].passed if message.verb == SUM_UNMASK]
    with refused("not at this step"):
        secure.exchange.call("a", unmask[0])
    with refused("the sums of round 0 have been opened, and none is opened twice"):
        asked(secure, "a", SUM_KEYS, {"h1": {"a": b""}})
    again = one_round(secure.exchange, secure.plan, begun)  # a coordinator of yesterday
    assert equal(again.state.layers, begun.state.layers)
    assert {one.party for one in again.failures[0]} == set("abcd")


def test_both_secrets_of_a_member_are_refused_and_nothing_is_opened_after():
    """Who asks with one survivor set gets one answer; a second, with another, gets none."""
    secure = Secure(dict.fromkeys("abcde", 2))
    begun = begin(secure.exchange, secure.plan)
    for party in "abcde":
        secure.lines[party].lose = (SUM_UNMASK,)
    one_round(secure.exchange, secure.plan, begun)
    for party in "abcde":
        secure.lines[party].lose = ()
    all_stay = {"h1+h2": dict.fromkeys("abcde", b"\1")}
    e_left = {"h1+h2": {**dict.fromkeys("abcd", b"\1"), "e": b"\0"}}
    first = [unpacked(asked(secure, one, SUM_UNMASK, all_stay).layers) for one in "ab"]
    second = [unpacked(asked(secure, one, SUM_UNMASK, e_left).layers) for one in "cd"]
    for one in "ab":
        with refused("not at this step"):
            asked(secure, one, SUM_UNMASK, e_left)
    seeds = {part["h1+h2"]["e"] for part in first}
    keys = {part["h1+h2"]["e"] for part in second}
    assert len(seeds) == len(keys) == 2  # of either secret four are needed
    with refused("with or without e"):
        asked(secure, "e", SUM_UNMASK, e_left)


def test_one_layer_in_two_sums_is_refused():
    secure = Secure(FOUR)
    for groups in (("h1+h2", "h2+h3"), ("h1", "h1@60s"), ("rows",), ("h1+h1",)):
        with refused("each in one sum alone"):
            asked(secure, "a", SUM_KEYS, {group: {"a": b""} for group in groups})


@pytest.mark.parametrize("number", [-1.0, 0.5, float("nan"), float("inf")])
def test_rounds_that_are_none_are_refused(number):
    with refused("keys are made for a round >= 0"):
        asked(Secure(FOUR), "a", SUM_KEYS, {"h1": {"a": b""}}, number)


def test_only_the_coordinator_may_ask():
    secure = Secure(FOUR)
    peer = replace(secure.exchange, name="b")
    for verb in (SUM_KEYS, SUM_SHARES, SUM_UNMASK, TRAIN):
        with refused("only the coordinator leads rounds"):
            peer.call("a", Message(verb, {ROUND: 0.0}))


def test_keys_that_the_coordinator_put_in_a_members_place_are_refused():
    secure, forged = Secure(FOUR), Secure(FOUR)
    groups = {"h1": dict.fromkeys(FOUR, b"")}
    keys = {p: unpacked(asked(secure, p, SUM_KEYS, groups).layers)["h1"][p] for p in FOUR}
    keys["b"] = unpacked(asked(forged, "b", SUM_KEYS, groups).layers)["h1"]["b"]
    weights = {f"weight {party}": 1.0 for party in FOUR}
    with refused("the keys shown for b are not signed by it for round 0"):
        asked(secure, "a", SUM_SHARES, {"h1": keys}, **weights)
