"""Secure sums within groups: the result is the robust fusion of the groups' means, whatever a
member does to its own group.
"""

from dataclasses import replace

import numpy as np
import pytest
from test_secure_rounds import LittleParty, Secure, close, equal

from deepcity.city.level import layers_up_to
from deepcity.exchange.exchange import UnknownOutcomeError
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import TRAIN
from deepcity.exchange.rounds import begin, learn_together, one_round
from deepcity.exchange.secure.drawn_groups import GroupDraw
from deepcity.exchange.secure.summing_party import (
    MASKS,
    SUM_KEYS,
    SUM_SHARES,
    SUM_UNMASK,
    packed,
    unpacked,
)
from deepcity.exchange.strategies import StrategyState, strategy

ROBUST = {"median": 3, "trimmed_mean": 3, "norm_clipping": 2, "multi_krum": 3}
NINE, TWELVE, SIXTEEN = "abcdefghi", "abcdefghijkl", "abcdefghijklmnop"


class Grouped(Secure):
    """Little parties that are summed within groups, under a strategy that compares these."""

    def __init__(self, levels, name="median", *, rounds=1, size=3, least=3, seed=7):
        if isinstance(levels, str):
            levels = dict.fromkeys(levels, 6)
        super().__init__(levels, rounds)
        draw = GroupDraw(size, seed, least)
        self.plan = replace(self.plan, strategy=strategy(name), draw=draw)

    def groups(self, members=None, number=0):
        return self.plan.draw.groups(members or self.parties, number)

    def member(self, at=0):
        return self.groups()[at][0]

    def run(self):
        return learn_together(self.exchange, self.plan)

    def round(self, progress=None):
        return one_round(self.exchange, self.plan, progress or begin(self.exchange, self.plan))


def sent_by(party, level=6, number=0):
    """What a little party sends in a round, as layers without masks."""
    return LittleParty(party, level).handle(Message(TRAIN, {ROUND: float(number)}), "coordinator")


def means(groups, number=0, left=()):
    """The weighted mean of each group in float64, and its weight; by hand."""
    found, weights = {}, {}
    for at, members in enumerate(groups):
        stay = [one for one in members if one not in left]
        rows = np.array([40.0 + ord(one) for one in stay])
        layers = [sent_by(one, number=number).layers for one in stay]
        found[f"group-{at}"] = {
            layer: {
                name: np.tensordot(
                    rows / rows.sum(), np.stack([np.float64(one[layer][name]) for one in layers]), 1
                ).astype(np.float32)
                for name in tensors
            }
            for layer, tensors in layers[0].items()
        }
        weights[f"group-{at}"] = rows.sum()
    return found, weights


def fused(plan, state, groups, number=0, left=()):
    """Plain robust fusion of the groups' means."""
    updates, weights = means(groups, number, left)
    return plan.strategy.aggregate(state, updates, weights, dict.fromkeys(updates, 6))[0]


def names(found, number=0):
    return {failure.party for failure in found.failures[number]}


def reasons(found, party, number=0):
    return " | ".join(one.reason for one in found.failures[number] if one.party == party)


@pytest.mark.parametrize("name", ROBUST)
@pytest.mark.parametrize("parties", [NINE, "abcdefghij", SIXTEEN])
def test_rounds_give_the_robust_fusion_of_the_groups_means(name, parties):
    little = Grouped(parties, name, rounds=2, least=ROBUST[name])
    found = little.run()
    assert not any(found.failures)
    state = StrategyState(little.plan.reference)
    for number in range(2):
        state = fused(little.plan, state, little.groups(number=number), number)
    assert close(state.layers, found.state.layers)
    for party in parties:
        assert equal(found.outgoing[party], found.state.layers)


@pytest.mark.parametrize("verb", [SUM_SHARES, TRAIN])
@pytest.mark.parametrize("name", ROBUST)
def test_a_dropout_within_a_group_costs_only_its_part(name, verb):
    little = Grouped(TWELVE, name, size=4)
    gone = little.member()
    little.lines[gone].lose = (verb,)
    found = little.round()
    assert names(found) == {gone}
    state = fused(little.plan, StrategyState(little.plan.reference), little.groups(), left=(gone,))
    assert close(state.layers, found.state.layers)


def test_a_member_that_leaves_after_it_sent_its_part_still_counts():
    little = Grouped(TWELVE, size=4)
    gone = little.member()
    little.lines[gone].lose = (SUM_UNMASK,)
    found = little.round()
    assert names(found) == {gone}
    state = fused(little.plan, StrategyState(little.plan.reference), little.groups())
    assert close(state.layers, found.state.layers)


def test_groups_are_drawn_of_those_that_make_keys():
    """A site that is down from the start of a round leaves no group too small."""
    little = Grouped("abcdefghij")
    little.lines["d"].lose = (SUM_KEYS,)
    found = little.round()
    assert names(found) == {"d"}
    others = little.groups("abcefghij")
    assert sorted(map(len, others)) == [3, 3, 3]
    state = fused(little.plan, StrategyState(little.plan.reference), others)
    assert close(state.layers, found.state.layers)
    again = little.round(replace(found, trained={}))  # back in the next round
    assert names(again, 1) == {"d"}
    little.lines["d"].lose = ()
    assert not little.round(again).failures[2]


@pytest.mark.parametrize("verb", [SUM_SHARES, TRAIN])
def test_a_group_that_falls_under_its_least_number_is_left_out_and_named(verb):
    little = Grouped(TWELVE)
    first, *others = little.groups()
    little.lines[first[0]].lose = (verb,)
    found = little.round()
    assert names(found) == set(first)
    assert "2 of 3 members" in reasons(found, first[1])
    assert "3 are needed" in reasons(found, first[1])
    state = fused(little.plan, StrategyState(little.plan.reference), others)
    assert close(state.layers, found.state.layers)
    for party in first[1:]:
        assert not [one for one, _ in little.lines[party].passed if one.verb == SUM_UNMASK]
        assert equal(found.outgoing[party], found.state.layers)


def test_too_few_groups_to_compare_are_not_fused_and_not_opened():
    little = Grouped(NINE)
    first = little.groups()[0]
    little.lines[first[0]].lose = (TRAIN,)
    begun = begin(little.exchange, little.plan)
    found = little.round(begun)
    assert equal(found.state.layers, begun.state.layers)
    assert names(found) == set(NINE)
    other = little.member(1)
    assert "2 groups are left, and robust fusion compares 3" in reasons(found, other)
    assert "The next round draws other groups" in reasons(found, other)
    assert not [one for one, _ in little.lines[other].passed if one.verb == SUM_UNMASK]
    little.lines[first[0]].lose = ()
    assert not little.round(found).failures[1]


def test_no_member_is_in_two_sums_of_a_layer_and_no_layer_leaves_without_masks():
    little = Grouped(NINE)
    little.run()
    for party, line in little.lines.items():
        [own] = [group for group in little.groups() if party in group]
        for message, answer in line.passed:
            if message.verb == SUM_SHARES:
                [members] = unpacked(message.layers).values()
                assert tuple(sorted(members)) == own
            for layer, tensors in answer.layers.items():
                kind = np.uint8 if layer == MASKS else np.uint32
                assert all(tensor.dtype == kind for tensor in tensors.values())


def test_layers_with_other_members_are_drawn_apart():
    levels = dict.fromkeys(NINE, 6) | dict.fromkeys("jkl", 2)
    little = Grouped(levels)
    found = little.run()
    assert not any(found.failures)
    upper = fused(little.plan, StrategyState(little.plan.reference), little.groups(NINE))
    lower = fused(little.plan, StrategyState(little.plan.reference), little.groups(levels))
    for layer in layers_up_to(6):
        expected = (lower if layer in ("h1", "h2") else upper).layers
        assert close({layer: expected[layer]}, found.state.layers) or layer in ("h1", "h2")
    members = {len(unpacked(line.passed[1][1].layers)) for line in little.lines.values()}
    assert members == {1, 2}


def test_a_layer_of_few_members_keeps_to_them_and_they_are_named():
    little = Grouped(dict.fromkeys(NINE, 2) | dict.fromkeys("jkl", 6))
    found = little.run()
    assert names(found) == set("jkl")
    assert "h3, h4, h5, head has 3 members" in reasons(found, "j")
    assert "compares 3 groups or more: 9 members" in reasons(found, "j")


# Hostile members: named, and left out with their group at most.


def change_of(*verbs, to):
    return lambda message, answer: to(message, answer) if message.verb in verbs else answer


def with_masks(answer, parts):
    return replace(answer, layers=packed(parts))


def test_a_site_that_makes_keys_for_another_group_is_left_out_and_the_others_drawn_anew():
    little = Grouped("abcdefghij")
    liar = little.member(1)  # of a group of three

    def another(message, answer):
        parts = unpacked(answer.layers)
        return with_masks(answer, {"h1+h2#9": next(iter(parts.values()))})

    little.lines[liar].change = change_of(SUM_KEYS, to=another)
    found = little.round()
    assert names(found) == {liar}
    assert "and answered for h1+h2#9" in reasons(found, liar)
    others = little.groups([one for one in little.parties if one != liar])
    state = fused(little.plan, StrategyState(little.plan.reference), others)
    assert close(state.layers, found.state.layers)


@pytest.mark.parametrize(
    ("verb", "reason"),
    [(SUM_SHARES, "it shared no secrets with all of"), (SUM_UNMASK, "it opened no")],
)
def test_a_site_that_shares_or_opens_for_another_group_is_named(verb, reason):
    little = Grouped(TWELVE, size=4)
    liar = little.member(0)

    def another(message, answer):
        parts = unpacked(answer.layers)
        return with_masks(answer, {"other#2": next(iter(parts.values()))})

    little.lines[liar].change = change_of(verb, to=another)
    found = little.round()
    assert names(found) == {liar}
    assert reason in reasons(found, liar)
    assert "and answered for other#2" in reasons(found, liar)
    left = (liar,) if verb == SUM_SHARES else ()
    state = fused(little.plan, StrategyState(little.plan.reference), little.groups(), left=left)
    assert close(state.layers, found.state.layers)


def wrong_sizes(message, answer):
    return replace(
        answer,
        layers={
            layer: {name: np.zeros(tensor.size + 1, np.uint32) for name, tensor in parts.items()}
            for layer, parts in answer.layers.items()
        },
    )


def no_layers(message, answer):
    return replace(answer, layers={})


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        (wrong_sizes, "no masked vector: h1/weight is uint32 (17,), not uint32 (4, 4)"),
        (no_layers, "no masked vector: h1 has 0 tensors, and not the 2"),
    ],
)
def test_a_site_that_sends_the_wrong_size_is_named_and_left_out(what, reason):
    little = Grouped(TWELVE, size=4)
    liar = little.member(0)
    little.lines[liar].change = change_of(TRAIN, to=what)
    found = little.round()
    assert names(found) == {liar}
    assert reason in reasons(found, liar)
    state = fused(little.plan, StrategyState(little.plan.reference), little.groups(), left=(liar,))
    assert close(state.layers, found.state.layers)


def test_a_site_that_is_late_is_named_left_out_and_asked_again():
    little = Grouped(TWELVE, size=4)
    late = little.member(0)

    def after_the_deadline(message, answer):
        raise UnknownOutcomeError("no answer after 5 s")

    little.lines[late].change = change_of(TRAIN, to=after_the_deadline)
    found = little.round()
    assert names(found) == {late}
    assert "no answer after 5 s" in reasons(found, late)
    state = fused(little.plan, StrategyState(little.plan.reference), little.groups(), left=(late,))
    assert close(state.layers, found.state.layers)
    little.lines[late].change = None
    again = little.round(found)
    assert not again.failures[1]
    assert close(fused(little.plan, state, little.groups(number=1), 1).layers, again.state.layers)


def replayed():
    """Answers to ``train`` with what was sent in the round before."""
    kept = []

    def change(message, answer):
        kept.append(answer)
        return replace(answer, layers=kept[-2].layers) if len(kept) > 1 else answer

    return change_of(TRAIN, to=change)


def noise(message, answer):
    rng = np.random.default_rng(1)
    return replace(
        answer,
        layers={
            layer: {
                name: rng.integers(0, 2**32, tensor.shape, dtype=np.uint32)
                for name, tensor in parts.items()
            }
            for layer, parts in answer.layers.items()
        },
    )


def test_a_masked_vector_of_the_round_before_costs_its_group_alone():
    little = Grouped(TWELVE)
    liar = little.member(0)
    little.lines[liar].change = replayed()
    first = little.round()
    assert not first.failures[0]
    second = little.round(first)
    groups = little.groups(number=1)
    [own] = [group for group in groups if liar in group]
    assert names(second, 1) == set(own)
    assert "beyond what members within 64 can have" in reasons(second, liar, 1)
    others = [group for group in groups if group != own]
    assert close(fused(little.plan, first.state, others, 1).layers, second.state.layers)


def test_any_words_in_a_masked_vector_cost_its_group_alone():
    little = Grouped(TWELVE)
    liar = little.member(0)
    little.lines[liar].change = change_of(TRAIN, to=noise)
    found = little.round()
    [own, *others] = little.groups()
    assert names(found) == set(own)
    state = fused(little.plan, StrategyState(little.plan.reference), others)
    assert close(state.layers, found.state.layers)


def far_away(_message, answer):
    layers = {
        layer: {tensor: np.full_like(part, 60.0) for tensor, part in tensors.items()}
        for layer, tensors in answer.layers.items()
    }
    return replace(answer, layers=layers)


def greatest(name, liars):
    """The greatest weight after a round of five groups, of which so many have a liar."""
    little = Grouped(SIXTEEN, name, least=ROBUST[name])
    groups = little.groups()
    assert len(groups) == 5
    for own in groups[:liars]:
        little.parties[own[0]].spoil = far_away
    found = little.run()
    assert not any(found.failures)  # a sum shows no liar
    state = found.state.layers.values()
    return max(np.abs(part).max() for tensors in state for part in tensors.values())


@pytest.mark.parametrize(
    ("name", "most"), [("median", 2), ("norm_clipping", 2), ("trimmed_mean", 1), ("multi_krum", 1)]
)
def test_liars_in_as_many_groups_as_a_strategy_withstands_move_little(name, most):
    """Of five groups; what sums allow is within 64, and a hostile group's mean is about 20."""
    assert greatest(name, 0) < 3
    assert greatest(name, most) < 4
    assert greatest(name, most + 1) > (4 if name == "norm_clipping" else 5)


# The drawing.
