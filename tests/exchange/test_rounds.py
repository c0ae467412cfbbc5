"""The round protocol over real learners and the embedded exchange."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from deepcity.city.errors import ExchangeError
from deepcity.city.level import HEAD, HIDDEN_LAYERS, LADDER, STEM, layers_up_to
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.message import Message
from deepcity.exchange.party import EVALUATE, JOIN, TRAIN, LearningParty
from deepcity.exchange.rounds import FederationPlan, begin, learn_together, one_round
from deepcity.exchange.strategies import strategy
from deepcity.learning.features.inputs import Samples
from deepcity.learning.networks.reuse import export_layers
from deepcity.learning.training.learner import Learner, PartyData
from deepcity.learning.training.local_training import TrainingSettings

SETTINGS = TrainingSettings(rounds=3, local_steps=3, batch_size=8, dropout=0.0)


def samples(seed, features=7, rows=40):
    rng = np.random.default_rng(seed)
    seen = rng.normal(size=(rows, 1, features)).astype(np.float32)
    truth = (seen[..., :3] + 0.1 * rng.normal(size=(rows, 1, 3))).astype(np.float32)
    linear_features = rng.normal(size=(rows, 1, 3, 2)).astype(np.float32)
    nothing = np.zeros_like(truth)
    return Samples(seen, linear_features, nothing, truth, np.ones((1, 1), np.float32), 0)


def learner(name, *, features=7, rows=40, frozen=()):
    index = sum(map(ord, name))
    ridge_skip = np.full((3, 2), index % 7 / 10, np.float32)
    data = PartyData(name, samples(index, features, rows), samples(index + 1, features), ridge_skip)
    return Learner(data, SETTINGS, seed=5, frozen=frozen)


@dataclass
class RecordingParty:
    """Keeps what passes in and out of a party, and may spoil its answers."""

    inner: LearningParty
    spoil: object = None
    received: list[Message] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)

    def handle(self, message, caller):
        self.received.append(message)
        answer = self.inner.handle(message, caller)
        if self.spoil and message.verb == TRAIN:
            answer = self.spoil(message, answer)
        self.sent.append(answer)
        return answer


class Together:
    """Some parties at their levels, and the plan they follow."""

    def __init__(
        self, levels, name="fedavg", *, common_stem=False, own_stem=(), rounds=3, **settings
    ):
        self.learners = {party: learner(party) for party in levels}
        self.heard = {
            party: RecordingParty(
                LearningParty(one, levels[party], common_stem and party not in own_stem)
            )
            for party, one in self.learners.items()
        }
        self.exchange = InProcessExchange(self.heard)
        first = next(iter(self.learners.values()))
        names = ((STEM,) if common_stem else ()) + LADDER
        self.plan = FederationPlan(
            levels,
            export_layers(first.network, names),
            strategy(name, common_stem=common_stem, **settings),
            rounds,
            frozenset(own_stem),
        )

    def run(self, **how):
        return learn_together(self.exchange, self.plan, **how)

    def layers(self, party, names=LADDER):
        return self.learners[party].export(names)


def equal(left, right):
    return all(
        np.array_equal(left[layer][name], right[layer][name])
        for layer in left
        for name in left[layer]
    )


def test_level_0_sends_and_receives_no_layer():
    together = Together({"a": 0, "b": 0})
    progress = together.run()
    for heard in together.heard.values():
        assert all(not message.layers for message in heard.sent + heard.received)
    assert set(together.exchange.ledger.sent_by_layer()) <= {"header"}
    assert progress.round == 3
    assert len(progress.errors) == 4
    assert progress.failures == ((), (), (), ())


@pytest.mark.parametrize(("equal", "share"), [(False, 0.8), (True, 0.5)])
def test_parties_weigh_by_their_rows_or_alike(equal, share):
    together = Together({"a": 2, "b": 2})
    together.learners["a"].data = replace(together.learners["a"].data, measured=400)
    together.learners["b"].data = replace(together.learners["b"].data, measured=100)
    together.plan = replace(together.plan, rounds=1, equal=equal)
    fused = together.run().state.layers["h2"]
    mine, theirs = (together.heard[name].sent[1].layers["h2"] for name in "ab")
    for name, values in fused.items():
        apart = np.abs(mine[name] - theirs[name]).max()
        wanted = share * mine[name] + (1 - share) * theirs[name]
        assert apart > 0
        assert np.abs(values - wanted).max() < 0.1 * apart  # other shares: 0.3 times as far


def test_level_0_learns_as_it_would_without_anybody():
    together = Together({"a": 0, "b": 6, "c": 6})
    together.run()
    lonely = learner("a")
    for number in range(3):
        lonely.receive({})
        lonely.train_round(number)
    assert equal(together.layers("a"), lonely.export(LADDER))


def test_nobody_sends_or_receives_above_its_level():
    levels = {"a": 2, "b": 5, "c": 6, "d": 1}
    together = Together(levels)
    progress = together.run()
    for party, heard in together.heard.items():
        own = set(layers_up_to(levels[party]))
        for message in heard.sent + heard.received:
            assert set(message.layers) <= own
        assert set(heard.sent[1].layers) == own
    assert set(progress.outgoing["a"]) == {"h1", "h2"}
    assert set(progress.outgoing["c"]) == set(LADDER)


def test_a_layer_is_common_to_those_whose_level_reaches_it():
    together = Together({"a": 2, "b": 5, "c": 5, "d": 0})
    together.run()
    at = {party: together.layers(party) for party in "abcd"}
    for layer in ("h1", "h2"):
        assert equal({layer: at["a"][layer]}, {layer: at["b"][layer]})
    for layer in HIDDEN_LAYERS:
        assert equal({layer: at["b"][layer]}, {layer: at["c"][layer]})
    assert not equal({"h3": at["a"]["h3"]}, {"h3": at["b"]["h3"]})
    assert not equal({"h1": at["d"]["h1"]}, {"h1": at["a"]["h1"]})
    assert not equal({HEAD: at["b"][HEAD]}, {HEAD: at["c"][HEAD]})


def test_heads_begin_as_their_parties_own_and_meet_in_the_middle():
    together = Together({"a": 6, "b": 6}, rounds=1)
    assert HEAD not in begin(together.exchange, together.plan).outgoing["a"]
    own = [together.layers(party, [HEAD])[HEAD]["ridge_skip"] for party in "ab"]
    progress = together.run()
    np.testing.assert_allclose(
        progress.outgoing["a"][HEAD]["ridge_skip"], (own[0] + own[1]) / 2, rtol=1e-6
    )


def test_a_common_stem_travels_only_where_it_is_granted():
    private, common = Together({"a": 3, "b": 3}), Together({"a": 3, "b": 3}, common_stem=True)
    for together, expected in ((private, False), (common, True)):
        together.run()
        assert (STEM in together.exchange.ledger.sent_by_layer()) == expected
        stems = [together.layers(party, [STEM]) for party in "ab"]
        assert equal(*stems) == expected
    alone = Together({"a": 0, "b": 0}, common_stem=True)
    alone.run()
    assert STEM not in alone.exchange.ledger.sent_by_layer()


@pytest.mark.parametrize("settings", [{}, {"name": "fedamp", "sharpness": 0.0}])
def test_a_party_keeps_its_stem_while_the_others_share_theirs(settings):
    together = Together(dict.fromkeys("abc", 6), common_stem=True, own_stem="b", **settings)
    progress = together.run()
    assert not [failure for failures in progress.failures for failure in failures]
    stems = {party: together.layers(party, [STEM]) for party in "abc"}
    assert equal(stems["a"], stems["c"])
    assert not equal(stems["a"], stems["b"])
    assert all(equal(together.layers("b"), together.layers(party)) for party in "ac")


def test_a_stem_that_is_sent_against_its_grant_is_not_fused():
    """The party's own check failed to keep it: the others' mean is as it is without it."""
    right, leaky = (
        Together(dict.fromkeys("abc", 3), common_stem=True, own_stem="b", rounds=1)
        for _ in range(2)
    )
    own = leaky.heard["b"].inner.learner
    leaky.heard["b"].spoil = lambda _, answer: replace(
        answer, layers={**answer.layers, **export_layers(own.network, [STEM])}
    )
    means = [one.run().state.layers for one in (right, leaky)]
    assert STEM in means[0]
    assert equal(*means)


def raises(message, answer):
    raise RuntimeError("the sensor hall is on fire")


def with_nan(message, answer):
    answer.layers["h1"]["inner.weight"][0, 0] = np.nan
    return answer


def with_infinity(message, answer):
    answer.layers["h2"]["inner.bias"][:] = np.inf
    return answer


def with_a_huge_value(message, answer):
    answer.layers["h3"]["inner.bias"][7] = -1e30
    return answer


def with_wrong_shape(message, answer):
    layers = {**answer.layers, "h1": {**answer.layers["h1"], "norm.bias": np.zeros(3, np.float32)}}
    return Message(answer.verb, answer.numbers, layers)


def with_huge_error(message, answer):
    return Message(answer.verb, {**answer.numbers, "error": 1e200}, answer.layers)


def with_nan_error(message, answer):
    return Message(answer.verb, {**answer.numbers, "error": float("nan")}, answer.layers)


def without_error(message, answer):
    return Message(answer.verb, {}, answer.layers)


BAD = {
    raises: "the sensor hall is on fire",
    with_nan: "h1/inner.weight has 1 of 4096 values that are not finite",
    with_infinity: "h2/inner.bias has 64 of 64 values that are not finite",
    with_a_huge_value: "h3/inner.bias reaches 1e+30, beyond 65504",
    with_wrong_shape: "h1/norm.bias has shape (3,), not (64,)",
    with_nan_error: "error = nan",
    with_huge_error: "error = 1e+200",
    without_error: "error = None",
}


@pytest.mark.parametrize("spoil", BAD, ids=lambda spoil: spoil.__name__)
@pytest.mark.parametrize("name", ["fedavg", "fedamp"])
def test_a_bad_party_is_set_aside_with_its_reason_and_the_others_go_on(spoil, name):
    together = Together({"a": 5, "b": 5, "c": 5}, name)
    together.heard["b"].spoil = spoil
    progress = together.run()
    assert [[f.party for f in failed] for failed in progress.failures] == [["b"]] * 3 + [[]]
    assert BAD[spoil] in progress.failures[0][0].reason
    for party in "abc":
        assert all(
            np.isfinite(v).all() for t in together.layers(party).values() for v in t.values()
        )
    without = Together({"a": 5, "c": 5}, name)
    without.run()
    if name == "fedavg":  # the others fused what they would have fused without it
        for party in "ac":
            assert equal(together.layers(party), without.layers(party))


def test_a_late_failure_heals_in_the_next_round():
    together = Together({"a": 5, "b": 5}, rounds=4)

    def once(message, answer):
        return raises(message, answer) if message.numbers["round"] == 1 else answer

    together.heard["b"].spoil = once
    progress = together.run()
    assert [len(failed) for failed in progress.failures] == [0, 1, 0, 0, 0]
    assert "b" not in progress.errors[1]
    assert set(progress.errors[2]) == {"a", "b"}
    assert equal(together.layers("a", HIDDEN_LAYERS), together.layers("b", HIDDEN_LAYERS))


def test_a_round_in_which_everybody_fails_leaves_the_common_layers_as_they_were():
    together = Together({"a": 5, "b": 5})
    progress = begin(together.exchange, together.plan)
    progress = one_round(together.exchange, together.plan, progress)
    for heard in together.heard.values():
        heard.spoil = raises
    after = one_round(together.exchange, together.plan, progress)
    assert equal(progress.state.layers, after.state.layers)
    assert after.outgoing == {"a": {}, "b": {}}
    assert after.round == 2
    assert len(after.failures[1]) == 2


def test_a_party_that_cannot_join_stops_the_run_with_every_reason():
    together = Together({"a": 5, "b": 5, "c": 5})

    class Refuses:
        def handle(self, message, caller):
            raise ExchangeError("not today")

    together.heard["a"] = together.heard["c"] = Refuses()
    with pytest.raises(ExchangeError, match=r"could not join: a: .*not today; c: .*not today"):
        together.run()


@pytest.mark.parametrize(
    ("name", "settings"),
    [("fedavg", {}), ("fedprox", {"mu": 1.0}), ("fedamp", {"sharpness": 3.0})],
)
def test_every_strategy_runs_and_repeats_itself(name, settings):
    runs = [Together({"a": 5, "b": 6, "c": 2}, name, **settings) for _ in range(2)]
    for together in runs:
        together.run()
    for party in "abc":
        assert equal(runs[0].layers(party), runs[1].layers(party))


def test_strategies_differ():
    found = []
    for name, settings in (("fedavg", {}), ("fedprox", {"mu": 5.0}), ("fedamp", {})):
        together = Together({"a": 5, "b": 5, "c": 5}, name, **settings)
        together.run()
        found.append(together.layers("a"))
    assert not equal(found[0], found[1])
    assert not equal(found[0], found[2])
    assert any(message.numbers.get("proximal") for message in together.heard["a"].received) is False


def test_a_run_stopped_between_rounds_goes_on_from_its_progress():
    straight = Together({"a": 5, "b": 6})
    whole = straight.run()
    kept = []
    halted = Together({"a": 5, "b": 6})
    halted.run(after_round=lambda now: kept.append((now, states(halted))))
    progress, before = kept[0]
    resumed = Together({"a": 5, "b": 6})
    for party, one in resumed.learners.items():
        one.restore(before[party])
    again = resumed.run(progress=progress)
    assert again.errors == whole.errors
    for party in "ab":
        assert equal(straight.layers(party), resumed.layers(party))
    assert not any(message.verb == JOIN for message in resumed.heard["a"].received)


def states(together):
    return {party: one.state() for party, one in together.learners.items()}


def test_the_last_look_takes_in_what_was_fused_last():
    together = Together({"a": 5, "b": 5})
    together.run()
    last = together.heard["a"].received[-1]
    assert last.verb == EVALUATE
    assert set(last.layers) == set(HIDDEN_LAYERS)


def test_a_party_answers_the_coordinator_alone_and_known_verbs_only():
    party = LearningParty(learner("a"), 3)
    with pytest.raises(ExchangeError, match="only the coordinator"):
        party.handle(Message(TRAIN), "b")
    with pytest.raises(ExchangeError, match="no verb 'rows'"):
        party.handle(Message("rows"), COORDINATOR)
    joined = party.handle(Message(JOIN), COORDINATOR)
    assert joined.numbers == {"rows": 120.0, "features": 7.0}
    assert not joined.layers


def test_nobody_overwrites_what_is_a_partys_own():
    party = LearningParty(learner("a"), 2)
    for name in (STEM, "h3", HEAD):
        before = export_layers(party.learner.network, [name])
        foreign = {name: {key: value + 1 for key, value in before[name].items()}}
        for verb in (EVALUATE, TRAIN):
            with pytest.raises(ExchangeError, match=f"{name} may not be overwritten"):
                party.handle(Message(verb, {"round": 0.0}, foreign), COORDINATOR)
        after = export_layers(party.learner.network, [name])
        assert all((after[name][key] == before[name][key]).all() for key in before[name])


@pytest.mark.parametrize("numbers", [{}, {"round": np.nan}, {"round": 0.0, "proximal": np.inf}])
def test_a_round_without_proper_numbers_is_refused(numbers):
    with pytest.raises(ExchangeError, match="as a number"):
        LearningParty(learner("a"), 2).handle(Message(TRAIN, numbers), COORDINATOR)


def test_parties_with_unlike_stems_share_all_but_the_stem():
    together = Together({"a": 5, "b": 5})
    together.learners["b"] = learner("b", features=11)
    together.heard["b"].inner = LearningParty(together.learners["b"], 5)
    progress = together.run()
    assert progress.failures == ((), (), (), ())
    assert equal(together.layers("a", HIDDEN_LAYERS), together.layers("b", HIDDEN_LAYERS))
