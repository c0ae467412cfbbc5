"""Where agencies meet: what each adds, what the silent leave out, and what slopes tell."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from vertical_town import QUICK, agencies, application, town, without_dropout

from deepcity.learning.networks.fused import Cut, FusedNetwork, new_fused
from deepcity.learning.networks.network import Shape, new_network
from deepcity.learning.split.fusion_inputs import DeepBatch, pool_cells, predict, without_agency

SHAPE = Shape(features=12, horizon=3, linear_features=4, recent=5)
TOWN = town(days=16)


def rows(count=9, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(count, 12, generator=draw), torch.randn(count, 3, 4, generator=draw)


def activations(count=9, width=2, spoke=1.0):
    return torch.rand(count, width) * 2 - 1, torch.full((count, 1), spoke)


def stirred(network):
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.linspace(-0.2, 0.3, parameter.numel()).reshape(parameter.shape))
    return network


def deep_of(count, place=TOWN, names=("office", "mill"), width=2, seed=0):
    rng = np.random.default_rng(seed)
    cells = len(place.panels["office"].places)
    return {
        name: DeepBatch(
            rng.uniform(-1, 1, (count, cells, width)).astype(np.float32),
            rng.random((count, cells)) < 0.8,
        )
        for name in names
    }


def fused_learner(names=("office", "mill"), **how):
    learner = application(TOWN, names, **how)
    stirred(learner.network)
    return learner


@pytest.mark.parametrize("level", range(1, 6))
def test_it_begins_as_the_own_network_alone(level):
    """Bit for bit, whatever agencies say: inlets begin at zero."""
    features, linear_features = rows()
    fused = new_fused(SHAPE, Cut(level, {"a": 2, "b": 3}), 4).eval()
    alone = new_network(SHAPE, 4).eval()
    same = dict(fused.trunk.state_dict())
    assert all(torch.equal(same[key], value) for key, value in alone.state_dict().items())
    for trunk in (fused.trunk, alone):
        stirred(trunk)
    pool_cells = {"a": activations(), "b": activations(width=3)}
    assert torch.equal(
        fused(features, linear_features, pool_cells), alone(features, linear_features)
    )
    assert torch.equal(fused(features, linear_features, {}), alone(features, linear_features))


def test_what_is_heard_counts_once_inlets_have_learned():
    features, linear_features = rows()
    fused = stirred(new_fused(SHAPE, Cut(3, {"a": 2, "b": 3}), 4)).eval()
    pool_cells = {"a": activations(), "b": activations(width=3)}
    assert not torch.equal(
        fused(features, linear_features, pool_cells), fused(features, linear_features, {})
    )


@pytest.mark.parametrize("own", [True, False])
def test_a_silent_agency_adds_exactly_nothing(own):
    features, linear_features = rows()
    fused = stirred(new_fused(SHAPE, Cut(2, {"a": 2, "b": 3}), 4, own=own)).eval()
    b = activations(width=3)
    for hushed in (activations(spoke=0.0), (torch.full((9, 2), 1e30), torch.zeros(9, 1))):
        both = fused(features, linear_features, {"a": hushed, "b": b})
        assert torch.equal(both, fused(features, linear_features, {"b": b}))
    part = (torch.rand(9, 2), (torch.arange(9) < 4).float()[:, None])
    spoken = fused(features, linear_features, {"a": part, "b": b})
    assert torch.equal(spoken[4:], fused(features, linear_features, {"b": b})[4:])
    assert not torch.equal(spoken[:4], fused(features, linear_features, {"b": b})[:4])


def test_in_training_agencies_fall_silent_at_times_and_in_use_never():
    features, linear_features = rows(400)
    fused = stirred(new_fused(SHAPE, Cut(3, {"a": 2}, agency_dropout=0.25), 4, dropout=0.0))
    pool_cells = {"a": activations(400)}
    with_a, without = (
        fused.eval()(features, linear_features, pool_cells),
        fused(features, linear_features, {}),
    )
    in_training = fused.train()(features, linear_features, pool_cells)
    hushed = (in_training == without).all(dim=1)
    assert torch.equal(in_training[~hushed], with_a[~hushed])
    assert 0.15 < hushed.float().mean() < 0.35


def test_without_rows_of_its_own_only_what_agencies_say_counts():
    features, linear_features = rows()
    fused = new_fused(SHAPE, Cut(3, {"a": 2}), 4, own=False).eval()
    with torch.no_grad():
        fused.trunk.head.out.weight.normal_()
    pool_cells = {"a": activations()}
    assert torch.equal(
        fused(features, linear_features, pool_cells),
        fused(torch.zeros_like(features), linear_features, pool_cells),
    )
    assert not torch.equal(
        fused(features, linear_features, pool_cells), fused(features, linear_features, {})
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"level": 0},
        {"level": 6},
        {"level": 3, "widths": {"a": 0}},
        {"level": 3, "agency_dropout": 1.0},
        {"level": 3, "agency_dropout": -0.1},
    ],
)
def test_a_cut_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match=r"level in 1\.\.5"):
        FusedNetwork(new_network(SHAPE, 0), Cut(**{"widths": {"a": 2}, **wrong}))


def test_a_place_hears_the_mean_of_its_cells_that_spoke():
    learner = fused_learner(("office",))
    learner.cell_weights["office"] = torch.tensor([[0.5, 0.5], [1.0, 0.0]])
    vectors = np.array([[[1, 2], [3, 4]]] * 3, np.float32)
    vectors[1, 1] = np.nan
    known = np.array([[True, True], [True, False], [False, False]])
    pooled_cells, spoke = pool_cells(learner.cell_weights["office"], DeepBatch(vectors, known))
    assert spoke[:, 0].tolist() == [1, 1, 1, 1, 0, 0]
    assert pooled_cells[:4].tolist() == [[2, 3], [1, 2], [1, 2], [1, 2]]
    assert torch.isfinite(pooled_cells).all()


@settings(max_examples=5)
@given(seed=st.integers(0, 99))
def test_slopes_are_how_the_labels_error_changes(seed):
    """Against differences of the error itself, in a network of double precision."""
    smooth = QUICK.model_copy(update={"mae_weight": 0.0})  # a kink would spoil differences
    learner = fused_learner(settings=smooth)
    origins = np.random.default_rng(seed).integers(0, len(learner.train), 3)
    deep = deep_of(3, seed=seed)
    gradients = learner.gradients(origins, deep)
    target = torch.from_numpy(learner.train.target_BNH[origins])

    def error(pool_cells):
        with torch.no_grad():
            return float(
                (learner._forward(learner.train, origins, pool_cells, {}) - target)
                .double()
                .square()
                .mean()
            )

    assert gradients.keys() == deep.keys()
    for name, batch in deep.items():
        for index in np.ndindex(batch.vectors_BCD.shape):
            ends = []
            for step in (-5e-3, 5e-3):
                moved = batch.vectors_BCD.copy()
                moved[index] += step
                ends.append(error({**deep, name: replace(batch, vectors_BCD=moved)}))
            rise = (ends[1] - ends[0]) / 1e-2
            assert gradients[name][index] == pytest.approx(rise, rel=0.02, abs=2e-3), (name, index)
    known = deep["office"].known_BC
    assert (gradients["office"][~known] == 0).all()
    assert (gradients["office"][known] != 0).any()


def test_when_all_are_silent_there_is_no_slope():
    assert fused_learner().gradients(np.arange(4), {}) == {}


@pytest.mark.parametrize("level", [1, 3, 5])
def test_split_learning_is_exact(level):
    """One step of slopes moves the encoder as training the pooled graph end to end does."""
    pooled, split = (
        agencies(TOWN, ["office"], level=level, taught=0, dropout=0.0)["office"] for _ in "ab"
    )
    learner = fused_learner(("office",), level=level)
    origins = np.random.default_rng(1).integers(0, len(learner.train), 24)
    times = TOWN.time_T[TOWN.train_rows][origins]
    gradients = learner.gradients(origins, {"office": split.encode(times)})
    split.apply_gradients(times, gradients["office"], 1, 0)

    learner.network.eval()
    pooled_rows = torch.from_numpy(pooled.columns.rows(times)).flatten(0, 1)
    vectors = pooled.encoder(pooled_rows).reshape(len(times), -1, 2)
    batch = DeepBatch(vectors.detach().numpy(), pooled.columns.known(times))
    forecast_BNH = learner._forward(learner.train, origins, {"office": batch}, {"office": vectors})
    target = torch.from_numpy(learner.train.target_BNH[origins])
    error = forecast_BNH - target
    share = learner.settings.mae_weight
    pooled.encoder.zero_grad()
    (share * error.abs() + (1 - share) * error.square()).mean().backward()
    torch.nn.utils.clip_grad_norm_(pooled.encoder.parameters(), 1.0)
    pooled._optimizer.step()

    start = agencies(TOWN, ["office"], level=level, taught=0, dropout=0.0)["office"].encoder
    pairs = zip(pooled.encoder.named_parameters(), split.encoder.parameters(), strict=True)
    for (name, wanted), found in pairs:
        if name.startswith("pretext_head"):
            assert torch.equal(found, start.get_parameter(name))
            continue
        torch.testing.assert_close(found, wanted, atol=2e-6, rtol=1e-4, msg=name)
    for name in ("stem.weight", "bottleneck.1.weight"):
        assert not torch.equal(split.encoder.get_parameter(name), start.get_parameter(name)), name


def test_the_gradient_itself_is_the_pooled_one():
    """Adam hides a gradient's size; this compares it before Adam."""
    office = agencies(TOWN, ["office"], taught=0, dropout=0.0)["office"]
    learner = fused_learner(("office",))
    origins = np.arange(0, 60, 3)
    times = TOWN.time_T[TOWN.train_rows][origins]
    gradient = torch.from_numpy(
        learner.gradients(origins, {"office": office.encode(times)})["office"]
    )
    seen = []
    office._optimizer_step = lambda loss: seen.append(
        torch.autograd.grad(loss, office.encoder.stem.weight)[0]
    )
    office.apply_gradients(times, gradient.numpy(), 1, 0)
    vectors = office.encoder(torch.from_numpy(office.columns.rows(times)).flatten(0, 1))
    (wanted,) = torch.autograd.grad(
        (vectors * gradient.flatten(0, 1)).sum(), office.encoder.stem.weight
    )
    torch.testing.assert_close(seen[0], wanted, rtol=1e-3, atol=1e-9)
    assert wanted.abs().max() > 1e-6


def test_the_best_state_is_kept_and_returned_to():
    learner = fused_learner(("office",))
    deep = {"office": deep_of(len(learner.validation), names=("office",))["office"]}
    first = learner.evaluate(deep)
    before = learner.predict(learner.validation, deep)
    stirred(stirred(learner.network))
    assert learner.evaluate(deep) > first
    assert not np.array_equal(learner.predict(learner.validation, deep), before)
    learner.keep_best()
    assert learner.best == first
    np.testing.assert_array_equal(learner.predict(learner.validation, deep), before)


def test_without_one_agency_is_as_if_it_had_not_spoken():
    learner = fused_learner()
    deep = deep_of(len(learner.validation))
    hushed = {**deep, "mill": replace(deep["mill"], known_BC=deep["mill"].known_BC & False)}
    assert set(without_agency(deep, "mill")) == {"office"}
    np.testing.assert_array_equal(
        learner.predict(learner.validation, without_agency(deep, "mill")),
        learner.predict(learner.validation, hushed),
    )
    assert not np.array_equal(
        learner.predict(learner.validation, deep), learner.predict(learner.validation, hushed)
    )


def test_chunks_change_nothing():
    learner = fused_learner()
    deep = deep_of(len(learner.validation))
    np.testing.assert_allclose(
        predict(learner.network, learner.cell_weights, learner.validation, deep, chunk=7),
        predict(learner.network, learner.cell_weights, learner.validation, deep, chunk=1000),
        atol=1e-5,
    )


def test_dropout_of_an_encoder_is_off_when_it_speaks():
    office = agencies(TOWN, ["office"], taught=3)["office"]
    times = TOWN.time_T[:20]
    spoken = office.encode(times).vectors_BCD
    without_dropout(office.encoder)
    np.testing.assert_array_equal(office.encode(times).vectors_BCD, spoken)
