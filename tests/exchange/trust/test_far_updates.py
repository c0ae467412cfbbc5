"""An update that lies far from all others is set aside with the evidence, whatever the strategy."""

from dataclasses import replace

import numpy as np
import pytest
from test_refused_parties import Steady

from deepcity.exchange.asynchronous.buffered_fusion import BufferedFusion
from deepcity.exchange.asynchronous.fusions import learn_asynchronously
from deepcity.exchange.asynchronous.pending_calls import SimulatedCalls
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.message import Message
from deepcity.exchange.party import TRAIN
from deepcity.exchange.rounds import FederationPlan, learn_together
from deepcity.exchange.strategies import strategy
from deepcity.exchange.trust.far_updates import (
    FARTHEST,
    OWN_BEGINNING,
    distances,
    without_far_updates,
)
from deepcity.exchange.trust.refusals import GOOD_ROUNDS

SIZE = 40


def updates(count, far=0, distance=0.0, layers=("h1", "h2"), seed=0):
    """Honest members about a common point, and `far` members `distance` away from it."""
    rng = np.random.default_rng(seed)
    found = {}
    for number in range(count):
        moved = distance if number < far else 0.0
        found[f"p{number}"] = {
            layer: {"weight": (3.0 + rng.normal(size=SIZE) + moved).astype(np.float32)}
            for layer in layers
        }
    return found


@pytest.mark.parametrize(("count", "far"), [(4, 1), (10, 3)])
def test_members_that_lie_far_are_named_with_distance_and_limit(count, far):
    given = updates(count, far, distance=20.0)
    near, refused = without_far_updates(given, given, {}, FARTHEST)
    assert [one.party for one in refused] == [f"p{number}" for number in range(far)]
    assert near == {party: given[party] for party in list(given)[far:]}
    assert f"from the median of {count} parties, and 4 times is the limit" in refused[0].reason
    ratio = distances(given, given, {}, sent=True)["p0"].ratio
    assert f"its h1, h2 lie {ratio:.3g} times the usual distance" in refused[0].reason


def test_honest_members_of_another_spread_stay():
    given = updates(6)
    given["p0"] = {
        layer: {"weight": 3 + 2 * (one["weight"] - 3)} for layer, one in given["p0"].items()
    }
    assert without_far_updates(given, given, {}, FARTHEST)[1] == []


def test_all_layers_of_a_party_are_one_measure():
    """A head that lies far away by itself, as one of another service may, is no reason."""
    given = updates(8)
    for number, party in enumerate(given):
        rng = np.random.default_rng(100 + number)
        given[party]["head"] = {"weight": (0.1 * rng.normal(size=3)).astype(np.float32)}
    given["p7"]["head"]["weight"] += 3
    apart = {party: {"head": layers["head"]} for party, layers in given.items()}
    assert [one.party for one in without_far_updates(apart, apart, {}, FARTHEST)[1]] == ["p7"]
    assert without_far_updates(given, given, {}, FARTHEST)[1] == []
    for party in ("p0", "p1", "p2"):
        del given[party]["head"]  # these share fewer layers
    assert without_far_updates(given, given, {}, FARTHEST)[1] == []
    given["p7"]["head"]["weight"] += 60
    (far,) = without_far_updates(given, given, {}, FARTHEST)[1]
    assert "its h1, h2, head lie" in far.reason


def test_layers_that_parties_began_with_by_themselves_may_differ_twice_as_much():
    given = updates(6, layers=("h1", "head"))
    begun = {party: {"h1": layers["h1"]} for party, layers in given.items()}
    own = {"head": {"weight": given["p0"]["head"]["weight"] + np.float32(5.0)}}
    given["p0"] = {**given["p0"], **own}
    ratio = distances(given, begun, {}, sent=False)["p0"].ratio
    assert FARTHEST < ratio < OWN_BEGINNING * FARTHEST
    assert without_far_updates(given, begun, {}, FARTHEST)[1] == []
    assert [one.party for one in without_far_updates(given, given, {}, 0.75 * FARTHEST)[1]] == [
        "p0"
    ]
    given["p0"]["head"]["weight"] += 50
    (far,) = without_far_updates(given, begun, {}, FARTHEST)[1]
    assert "its head lie" in far.reason
    assert "8 times is the limit" in far.reason


def test_of_three_members_and_without_a_limit_nobody_is_set_aside():
    three = updates(3, 1, distance=1e4)
    assert without_far_updates(three, three, {}, FARTHEST) == (three, [])
    four = updates(4, 1, distance=1e4)
    assert without_far_updates(four, four, {}, None) == (four, [])


def test_layers_of_another_shape_are_measured_within_their_group():
    given = updates(8, layers=("head",))
    groups = {"head": {f"p{number}": "a" if number < 4 else "b" for number in range(8)}}
    for number in range(4, 8):
        given[f"p{number}"]["head"]["weight"] = given[f"p{number}"]["head"]["weight"][:5] + 50
    assert without_far_updates(given, given, groups, FARTHEST)[1] == []
    given["p7"]["head"]["weight"] += 50
    assert [one.party for one in without_far_updates(given, given, groups, FARTHEST)[1]] == ["p7"]


def test_differences_that_half_precision_rounds_off_are_none():
    given = {name: {"h1": {"weight": np.full(SIZE, 3.0, np.float32)}} for name in "abcd"}
    given["d"]["h1"]["weight"] += np.float32(0.001)
    assert without_far_updates(given, given, {}, FARTHEST)[1] == []
    given["d"]["h1"]["weight"] += np.float32(0.1)
    assert [one.party for one in without_far_updates(given, given, {}, FARTHEST)[1]] == ["d"]


class Moody(Steady):
    """Sends layers far away in some rounds."""

    def __init__(self, value, far=()):
        super().__init__(value)
        self.far = far

    def handle(self, message, caller):
        answer = super().handle(message, caller)
        if message.verb != TRAIN or message.numbers["round"] + 1 not in self.far:
            return answer
        moved = {"h1": {"weight": answer.layers["h1"]["weight"] + np.float32(50)}}
        return Message(TRAIN, answer.numbers, moved)


def sites(far):
    return {
        **{name: Moody(value) for name, value in zip("abc", (1.0, 1.2, 1.4), strict=True)},
        "d": Moody(1.6, far),
    }


def plan(name, rounds, farthest=FARTHEST):
    levels = dict.fromkeys("abcd", 1)
    reference = {"h1": {"weight": np.zeros((2, 3), np.float32)}}
    return FederationPlan(levels, reference, strategy(name), rounds, farthest=farthest)


@pytest.mark.parametrize("name", ["fedavg", "fedamp", "median"])
def test_who_was_far_away_is_out_of_the_round_and_back_after_three_good_ones(name):
    progress = learn_together(InProcessExchange(sites((2,))), plan(name, 7))
    (one,) = progress.refusals
    assert (one.party, one.since, one.good, one.back) == ("d", 2, GOOD_ROUNDS, 6)
    assert "times the usual distance" in one.reason
    assert [[f.party for f in failed] for failed in progress.failures] == [
        [],
        ["d"],
        ["d"],
        ["d"],
        ["d"],
        [],
        [],
        [],
    ]


def test_the_mean_is_that_of_the_others():
    def mean(progress):
        return float(progress.state.layers["h1"]["weight"][0, 0])

    fused = learn_together(InProcessExchange(sites((1,))), plan("fedavg", 1))
    assert mean(fused) == pytest.approx(1.2)
    believed = learn_together(InProcessExchange(sites((1,))), plan("fedavg", 1, farthest=None))
    assert mean(believed) == pytest.approx(1.3 + 50 / 4)


def test_a_late_update_may_lie_farther_by_as_many_fusions():
    given = updates(6)
    for layer in given["p0"].values():
        layer["weight"] = layer["weight"] + np.float32(8)
    ratio = distances(given, given, {}, sent=True)["p0"].ratio
    assert FARTHEST < ratio < 3 * FARTHEST
    for late, refused in ((0, ["p0"]), (2, [])):
        found = without_far_updates(given, given, {}, FARTHEST, {"p0": late})[1]
        assert [one.party for one in found] == refused


@pytest.mark.parametrize(("size", "slow", "refused"), [(4, {}, ["d"]), (2, {"b": 9, "c": 9}, [])])
def test_updates_that_are_fused_as_they_come_are_measured_where_four_are_fused_together(
    size, slow, refused
):
    exchange, fused = InProcessExchange(sites((1,))), []
    settings = replace(plan("fedavg", 3), asynchronous=BufferedFusion(size))
    learn_asynchronously(exchange, SimulatedCalls(exchange, slow), settings, None, fused.append)
    assert [one.party for one in fused[0].refusals] == refused
