import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.city.errors import ConfigError
from deepcity.city.level import LADDER, layers_up_to
from deepcity.exchange.message import Message, from_bytes, to_bytes
from deepcity.exchange.strategies import PROXIMAL, STRATEGIES, StrategyState, strategy

SHAPES = {"w": (3, 2), "b": (2,)}


def layers(seed, names=(*LADDER, "stem"), scale=1.0):
    rng = np.random.default_rng(seed)
    return {
        layer: {
            name: (scale * rng.standard_normal(shape)).astype(np.float32)
            for name, shape in SHAPES.items()
        }
        for layer in names
    }


def assert_equal_layers(left, right, **tolerance):
    assert left.keys() == right.keys()
    for layer, tensors in left.items():
        for name, tensor in tensors.items():
            np.testing.assert_allclose(tensor, right[layer][name], **tolerance)
            assert tensor.dtype == np.float32


@pytest.fixture(params=list(STRATEGIES))
def each(request):
    return strategy(request.param)


def test_parties_receive_only_what_their_level_reaches(each):
    levels = {"a": 0, "b": 1, "c": 3, "d": 6, "late": 2}
    updates = {party: layers(seed) for seed, party in enumerate("abcd")}
    _, received = each.aggregate(each.start(layers(9)), updates, dict.fromkeys(levels, 1.0), levels)
    assert {party: tuple(got) for party, got in received.items()} == {
        party: layers_up_to(level) for party, level in levels.items()
    }


def test_layer_that_nobody_sent_is_not_handed_out(each):
    # or an untrained reference would overwrite what the party has learned
    sent = {"a": layers(1, ("h1",)), "b": layers(2, ("h1",))}
    state = each.start(layers(9))
    after, received = each.aggregate(state, sent, {"a": 1, "b": 1}, {"a": 3, "b": 3})
    assert set(received["a"]) == {"h1"}
    assert_equal_layers(after.layers | {"h1": {}}, layers(9) | {"h1": {}})


def test_nobody_answered(each):
    after, received = each.aggregate(each.start(layers(9)), {}, {}, {"a": 2})
    assert received == {"a": {}}
    assert_equal_layers(after.layers, layers(9))


def test_equal_updates_come_back_to_all(each):
    same = layers(1)
    levels = {"a": 6, "b": 2, "c": 6}
    updates = dict.fromkeys("abc", same)
    _, received = each.aggregate(each.start(layers(9)), updates, {"a": 1, "b": 5, "c": 0.1}, levels)
    for party, level in levels.items():
        expected = {layer: same[layer] for layer in layers_up_to(level)}
        assert_equal_layers(received[party], expected, rtol=1e-6)


def test_state_survives_the_wire_and_order_changes_no_bit(each):
    updates = {party: layers(seed) for seed, party in enumerate("abcd")}
    weights, levels = dict(zip("abcd", (1, 2, 3, 4), strict=True)), dict.fromkeys("abcd", 6)
    state, _ = each.aggregate(each.start(layers(9)), updates, weights, levels)
    blob = to_bytes(Message("state", state.numbers, state.layers))
    kept = from_bytes(blob)
    resumed = StrategyState(kept.layers, kept.numbers)
    backwards = dict(reversed(updates.items()))
    forth = each.aggregate(state, updates, weights, levels)[1]
    back = each.aggregate(resumed, backwards, weights, levels)[1]
    for party in "abcd":
        wire = [to_bytes(Message("m", layers=got[party])) for got in (forth, back)]
        assert wire[0] == wire[1]


def test_stem_is_handed_out_only_if_common():
    updates = {"a": layers(1), "b": layers(2)}
    for name in STRATEGIES:
        for common in (False, True):
            chosen = strategy(name, common_stem=common)
            _, got = chosen.aggregate(
                chosen.start(layers(9)), updates, {"a": 1, "b": 1}, {"a": 1, "b": 6}
            )
            assert ("stem" in got["a"], "stem" in got["b"]) == (common, common)


def test_only_fedprox_pulls_parties_back():
    configured = {name: strategy(name).configure(StrategyState(layers(1))) for name in STRATEGIES}
    assert configured.pop("fedprox") == {PROXIMAL: 0.01}
    assert not any(configured.values())


@given(st.lists(st.floats(0.01, 100), min_size=2, max_size=5), st.integers(0, 1000))
def test_personal_without_sharpness_is_fedavg(weights, seed):
    parties = [f"p{number}" for number in range(len(weights))]
    updates = {party: layers(seed + number) for number, party in enumerate(parties)}
    case = (updates, dict(zip(parties, weights, strict=True)), dict.fromkeys(parties, 6))
    start = StrategyState(layers(seed + 99))
    _, plain = strategy("fedavg").aggregate(start, *case)
    _, own = strategy("fedamp", sharpness=0).aggregate(start, *case)
    for party in parties:
        assert_equal_layers(own[party], plain[party], rtol=1e-4, atol=1e-6)


def test_personal_with_the_utmost_sharpness_keeps_ones_own():
    updates = {"a": layers(1), "b": layers(2)}
    case = (updates, {"a": 1, "b": 1}, {"a": 6, "b": 6})
    _, own = strategy("fedamp", sharpness=100).aggregate(StrategyState(layers(9)), *case)
    for party in "ab":
        expected = {layer: updates[party][layer] for layer in LADDER}
        assert_equal_layers(own[party], expected, atol=1e-2)


def test_personal_survives_huge_and_unmoved_updates():
    huge = {"h1": {"w": np.full((3, 2), 3e38, np.float32), "b": np.zeros(2, np.float32)}}
    still = layers(9, ("h1",))
    case = ({"a": huge, "b": still}, {"a": 1, "b": 1e-300}, {"a": 1, "b": 1})
    _, own = strategy("fedamp").aggregate(StrategyState(still), *case)
    assert all(np.isfinite(tensor).all() for got in own.values() for tensor in got["h1"].values())


def test_personal_beats_alone_and_fedavg_where_parties_come_in_two_kinds():
    """Six parties with 12 rows each learn one of two opposite linear laws."""
    rng = np.random.default_rng(0)
    laws = [rng.standard_normal(8), rng.standard_normal(8)]
    rows = {f"p{n}": rng.standard_normal((12, 8)) for n in range(6)}
    targets = {p: x @ laws[int(p[1]) % 2] + rng.normal(0, 1.0, 12) for p, x in rows.items()}

    def error_of(chosen):
        state = StrategyState({"h1": {"w": np.zeros(8, np.float32)}})
        own = dict.fromkeys(rows, state.layers)
        for _ in range(40):
            sent = {p: _train(own[p]["h1"]["w"], rows[p], targets[p]) for p in rows}
            if chosen is None:
                own = sent
            else:
                state, own = chosen.aggregate(
                    state, sent, dict.fromkeys(rows, 1), dict.fromkeys(rows, 1)
                )
        return np.mean([np.sum((own[p]["h1"]["w"] - laws[int(p[1]) % 2]) ** 2) for p in rows])

    alone, common = error_of(None), error_of(strategy("fedavg"))
    personal = error_of(strategy("fedamp"))
    assert personal < 0.7 * alone
    assert personal < 0.7 * common


def _train(w, x, y):
    w = w.astype(np.float64)
    for _ in range(10):
        w = w - 0.1 * x.T @ (x @ w - y) / len(y)
    return {"h1": {"w": w.astype(np.float32)}}


def test_unknown_strategy_is_answered_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"'fedsgd'.*[Uu]se fedavg, fedprox, fedamp"):
        strategy("fedsgd")


def test_all_wrong_settings_are_named_at_once():
    with pytest.raises(ConfigError) as caught:
        strategy("fedprox", mu=-1, momentum=0.9)
    assert len(caught.value.problems) == 2
    assert "mu = -1" in str(caught.value)
    assert "momentum" in str(caught.value)
    assert "common_stem, mu" in str(caught.value)
