import numpy as np
import pytest
import torch
from signals import learner

from deepcity.city.errors import LayerPackageError
from deepcity.city.level import HEAD, HIDDEN_LAYERS, LADDER, STEM, layers_up_to
from deepcity.learning.features.ridge_skip import apply_ridge_skip
from deepcity.learning.networks.network import Shape, new_network
from deepcity.learning.networks.reuse import export_layers, freeze, import_layers

SHAPE = Shape(features=20, horizon=4, linear_features=5, width=16, recent=8)
EVERY = (STEM, *LADDER)


def rows(count=7, shape=SHAPE):
    draw = torch.Generator().manual_seed(0)
    return (
        torch.randn(count, shape.features, generator=draw),
        torch.randn(count, shape.horizon, shape.linear_features, generator=draw),
    )


def stirred(network):
    """Every weight moved, so that layers differ."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.linspace(0.1, 0.3, parameter.numel()).reshape(parameter.shape))
    return network


def same(left, right):
    assert left.keys() == right.keys()
    for layer in left:
        assert left[layer].keys() == right[layer].keys()
        for name in left[layer]:
            np.testing.assert_array_equal(left[layer][name], right[layer][name])


def test_untrained_it_forecasts_the_typical_day_and_what_it_recalls():
    features, linear_features = rows()
    network = new_network(SHAPE, 3).eval()
    assert (network(features, linear_features) == 0).all()
    network.head.ridge_skip.fill_(0.5)
    torch.testing.assert_close(network(features, linear_features), 0.5 * linear_features.sum(-1))


def test_an_untrained_learner_forecasts_typical_day_plus_ridge():
    fresh = learner()
    samples = fresh.data.validation
    expected = apply_ridge_skip(samples.linear_BNHS, fresh.data.ridge_skip_HS)
    np.testing.assert_allclose(
        fresh.forecast(samples), samples.baseline_BNH + samples.scale_N1 * expected, rtol=1e-4
    )


def test_equal_seeds_give_equal_common_layers_whatever_the_features():
    small, large = new_network(SHAPE, 3), new_network(Shape(99, 4, 5, 16), 3)
    same(export_layers(small, LADDER), export_layers(large, LADDER))
    assert small.stem.weight.shape != large.stem.weight.shape
    other = export_layers(new_network(SHAPE, 4), ["h1"])["h1"]["inner.weight"]
    assert not np.array_equal(other, export_layers(small, ["h1"])["h1"]["inner.weight"])
    same(export_layers(small, EVERY), export_layers(new_network(SHAPE, 3), EVERY))


def test_making_a_network_leaves_the_random_state_alone():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    new_network(SHAPE, 9)
    assert torch.rand(1) == expected


@pytest.mark.parametrize("level", range(7))
def test_any_prefix_goes_round(level):
    source, target = stirred(new_network(SHAPE, 1)), new_network(Shape(33, 4, 5, 16), 2)
    before = export_layers(target, EVERY)
    prefix = layers_up_to(level)
    import_layers(target, export_layers(source, prefix))
    after = export_layers(target, EVERY)
    same({name: after[name] for name in prefix}, export_layers(source, prefix))
    rest = [name for name in EVERY if name not in prefix]
    same({name: after[name] for name in rest}, {name: before[name] for name in rest})


def test_exported_layers_are_copies():
    network = new_network(SHAPE, 1)
    taken = export_layers(network, ["h1"])
    taken["h1"]["inner.bias"][:] = 9
    assert (network.h1.inner.bias != 9).all()
    given = export_layers(network, ["h1"])
    import_layers(network, given)
    given["h1"]["inner.bias"][:] = 9
    assert (network.h1.inner.bias != 9).all()


@pytest.mark.parametrize("level", range(7))
def test_frozen_layers_do_not_move_and_all_others_do(level):
    frozen = layers_up_to(level)
    one = learner(frozen=frozen)
    before = one.export(EVERY)
    for number in range(2):
        one.train_round(number)
    after = one.export(EVERY)
    for layer in EVERY:
        weights = [key for key in before[layer] if key != "ridge_skip"]
        moved = any(not np.array_equal(before[layer][k], after[layer][k]) for k in weights)
        assert moved == (layer not in frozen), layer


def test_freezing_is_set_anew_each_time():
    network = new_network(SHAPE, 1)
    freeze(network, ["h1", "h2"])
    freeze(network, ["h2"])
    assert network.h1.inner.weight.requires_grad
    assert not network.h2.inner.weight.requires_grad


def test_layers_that_do_not_fit_are_refused_with_every_reason_and_change_nothing():
    network = stirred(new_network(SHAPE, 1))
    before = export_layers(network, EVERY)
    wrong = export_layers(new_network(SHAPE, 2), ["h1", "h2", "h3", HEAD])
    wrong["h2"]["inner.weight"] = wrong["h2"]["inner.weight"][:, :5]
    wrong["h2"]["norm.bias"] = wrong["h2"]["norm.bias"] * np.nan
    del wrong["h3"]["outer.bias"]
    wrong["h3"]["surplus"] = np.zeros(3, np.float32)
    wrong[HEAD]["out.weight"][0, 0] = np.inf
    wrong["h9"] = {}
    with pytest.raises(LayerPackageError) as refused:
        import_layers(network, wrong)
    for reason in (
        "h2/inner.weight is (16, 5), the network needs (16, 16)",
        "h2/norm.bias holds NaN",
        "h3 lacks outer.bias",
        "h3 has an extra tensor surplus",
        "head/out.weight holds NaN or infinity",
        "unknown layer 'h9'",
    ):
        assert reason in str(refused.value)
    same(export_layers(network, EVERY), before)


@pytest.mark.parametrize("name", [STEM, *HIDDEN_LAYERS])
def test_activations_have_a_row_each_and_follow_the_ladder(name):
    features, linear_features = rows()
    network = stirred(new_network(SHAPE, 1)).eval()
    held = network.activations(features, linear_features, name)
    assert held.shape == (7, 16)
    if name != STEM:
        index = HIDDEN_LAYERS.index(name)
        below = network.activations(features, linear_features, (STEM, *HIDDEN_LAYERS)[index])
        torch.testing.assert_close(network.layer(name)(below), held)


def test_the_head_reads_the_last_activations():
    features, linear_features = rows()
    network = stirred(new_network(SHAPE, 1)).eval()
    held = network.activations(features, linear_features, "h5")
    expected = network.head(held) + network.head.apply_ridge_skip(linear_features)
    torch.testing.assert_close(network(features, linear_features), expected)


@pytest.mark.parametrize("name", [HEAD, "h6", ""])
def test_no_activations_of_what_is_no_hidden_layer(name):
    with pytest.raises(ValueError, match="there are stem, h1"):
        new_network(SHAPE, 1).activations(*rows(), name)
