import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from deepcity.city.level import LADDER, layers_up_to
from deepcity.exchange.fusion import fuse, screen

PARTIES = ("a", "b", "c", "d")
finite = st.floats(-(2.0**100), 2.0**100, width=32)


@st.composite
def rounds(draw, same=False):
    """Updates, weights and levels of one to four parties."""
    parties = draw(st.lists(st.sampled_from(PARTIES), min_size=1, unique=True))
    arrays = hnp.arrays(np.float32, (2,), elements=finite)
    common = {layer: {"w": draw(arrays)} for layer in (*LADDER, "stem")}
    updates = {
        party: common if same else {layer: {"w": draw(arrays)} for layer in (*LADDER, "stem")}
        for party in parties
    }
    weights = {party: draw(st.floats(0, 1e6)) for party in parties}
    levels = {party: draw(st.integers(0, 6)) for party in parties}
    return updates, weights, levels


@given(rounds(same=True), st.booleans())
def test_equal_inputs_fuse_to_themselves(case, common_stem):
    updates, weights, levels = case
    one = next(iter(updates.values()))
    for layer, fused in fuse(updates, weights, levels, common_stem=common_stem).items():
        np.testing.assert_array_equal(fused.tensors["w"], one[layer]["w"])


@given(rounds(), st.randoms())
def test_order_of_parties_changes_no_bit(case, random):
    updates, weights, levels = case
    shuffled = list(updates)
    random.shuffle(shuffled)
    again = fuse({party: updates[party] for party in shuffled}, weights, levels)
    for layer, fused in fuse(updates, weights, levels).items():
        assert fused.members == again[layer].members
        assert fused.tensors["w"].tobytes() == again[layer].tensors["w"].tobytes()


@given(rounds(), st.booleans())
def test_layer_is_the_weighted_mean_of_those_who_reach_it(case, common_stem):
    updates, weights, levels = case
    fused = fuse(updates, weights, levels, common_stem=common_stem)
    for layer in (*LADDER, "stem"):
        reach = [p for p in sorted(updates) if weights[p] > 0]
        reach = [p for p in reach if layer in layers_up_to(levels[p], common_stem=common_stem)]
        assert (layer in fused) == bool(reach)
        if reach:
            share = np.array([weights[p] for p in reach]) / max(weights[p] for p in reach)
            values = np.stack([updates[p][layer]["w"] for p in reach]).astype(np.float64)
            mean = (share / share.sum()) @ values
            scale = np.abs(values).max()
            np.testing.assert_allclose(fused[layer].tensors["w"], mean, atol=scale * 1e-6)
            assert fused[layer].members == tuple(reach)
            assert fused[layer].tensors["w"].dtype == np.float32


@given(rounds(), st.floats(1e-200, 1e200))
def test_scale_of_the_weights_does_not_matter(case, scale):
    updates, weights, levels = case
    scaled = {party: weight * scale for party, weight in weights.items()}
    assume(all((scaled[p] > 0) == (weights[p] > 0) for p in weights))
    assume(all(weight == 0 or weight > 1e-90 for weight in weights.values()))
    again = fuse(updates, scaled, levels)
    for layer, fused in fuse(updates, weights, levels).items():
        np.testing.assert_allclose(again[layer].tensors["w"], fused.tensors["w"], rtol=1e-5, atol=1)


@given(rounds(), st.sampled_from(PARTIES), st.data())
def test_party_below_a_layer_never_influences_it(case, party, data):
    updates, weights, levels = case
    assume(party in updates)
    before = fuse(updates, weights, levels)
    above = [layer for layer in LADDER if layer not in layers_up_to(levels[party])]
    poison = {layer: {"w": np.full(2, np.nan, np.float32)} for layer in above}
    after = fuse({**updates, party: {**updates[party], **poison}}, weights, levels)
    for layer in above:
        assert (layer in before) == (layer in after)
        if layer in before:
            assert party not in after[layer].members
            assert after[layer].tensors["w"].tobytes() == before[layer].tensors["w"].tobytes()


def test_single_member_is_returned_as_it_is():
    layer = {"w": np.array([np.float32(0.1), -0.0], np.float32)}
    fused = fuse({"a": {"h1": layer}}, {"a": 7}, {"a": 1})
    assert fused["h1"].tensors["w"].tobytes() == layer["w"].tobytes()
    assert fused["h1"].members == ("a",)


def test_stem_stays_private_unless_common():
    updates = {"a": {"stem": {"w": np.ones(1, np.float32)}, "h1": {"w": np.ones(1, np.float32)}}}
    assert set(fuse(updates, {"a": 1}, {"a": 6})) == {"h1"}
    assert set(fuse(updates, {"a": 1}, {"a": 1}, common_stem=True)) == {"stem", "h1"}
    assert fuse(updates, {"a": 1}, {"a": 0}, common_stem=True) == {}


@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf])
def test_weight_that_is_none_is_refused(weight):
    with pytest.raises(ValueError, match=r"a has weight .*finite and not negative"):
        fuse({"a": {}}, {"a": weight}, {"a": 1})


def test_screen_sets_aside_with_every_reason():
    right = {"h1": {"w": np.zeros((2, 2), np.float32), "b": np.zeros(2, np.float32)}}
    hole = np.array([[1, np.nan], [np.inf, 1]], np.float32)
    updates = {
        "good": right,
        "empty": {},
        "bad": {"h1": {"w": hole, "b": np.zeros(3, np.float32)}, "h9": {}},
        "thin": {"h1": {"w": right["h1"]["w"]}},
        "wide": {"h1": {**right["h1"], "b": np.zeros(2, np.float64), "x": np.zeros(1, np.float32)}},
    }
    good, refused = screen(updates, right)
    assert set(good) == {"good", "empty"}
    reasons = {failure.party: failure.reason for failure in refused}
    assert "h1/w has 2 of 4 values that are not finite" in reasons["bad"]
    assert "h1/b has shape (3,), not (2,)" in reasons["bad"]
    assert "layer 'h9' is not one of h1" in reasons["bad"]
    assert "h1/b is missing" in reasons["thin"]
    assert "h1/b is float64, not float32" in reasons["wide"]
    assert "h1/x is unknown" in reasons["wide"]
