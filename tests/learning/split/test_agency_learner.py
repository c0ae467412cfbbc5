from dataclasses import replace

import numpy as np
import pytest
from vertical_town import COLUMNS, SALT, agencies, town

from deepcity.city.errors import LayerPackageError
from deepcity.learning.features.agency_columns import fit_columns
from deepcity.learning.split.agency_learner import AgencyLearner, EncoderSettings

TOWN = town(days=16)
TIMES = TOWN.time_T[TOWN.train_rows]
EVERY = ("stem", "h1", "h2", "h3", "bottleneck")


def same(left, right):
    return all(
        np.array_equal(left[layer][key], right[layer][key]) for layer in left for key in left[layer]
    )


def office(**how):
    return agencies(TOWN, ["office"], **{"taught": 0, **how})["office"]


def test_it_teaches_itself_to_foretell_its_columns():
    one = office(dropout=0.0)
    before = one.pretrain(TIMES, 1)
    assert one.pretrain(TIMES, 80) < 0.8 * before


def test_the_error_it_tells_is_that_of_the_steps_taken():
    values = TOWN.panels["office"]
    flat = fit_columns(values, COLUMNS, TOWN.train, SALT)
    errors = [
        AgencyLearner("office", flat, EncoderSettings(rate=1e-9), 0, 3600).pretrain(TIMES, count)
        for count in (1, 3)
    ]
    assert errors[0] == pytest.approx(errors[1], rel=0.2)  # a mean, not thinned by what never was
    assert office().pretrain(TIMES, 0) == 0


def test_equal_seeds_learn_equally_and_others_do_not():
    one, other, third = office(), office(), office(seed=1)
    for each in (one, other, third):
        each.pretrain(TIMES, 3)
    assert same(one.export(EVERY), other.export(EVERY))
    gradient = np.full((10, 2, 2), 0.1, np.float32)
    one.apply_gradients(TIMES[:10], gradient, 1, 5)
    other.apply_gradients(TIMES[:10], gradient, 1, 5)
    third.apply_gradients(TIMES[:10], gradient, 1, 5)
    assert same(one.export(EVERY), other.export(EVERY))
    assert not same(one.export(EVERY), third.export(EVERY))


def test_another_draw_drops_other_units():
    gradient = np.full((10, 2, 2), 0.1, np.float32)
    states = []
    for seed in (5, 6):
        one = office()
        one.pretrain(TIMES, 3)
        one.apply_gradients(TIMES[:10], gradient, 1, seed)
        states.append(one.export(EVERY))
    assert not same(*states)


@pytest.mark.parametrize("steps", [1, 8])
def test_what_it_says_moves_down_the_slope(steps):
    one = office(taught=5, dropout=0.0)
    before = one.encode(TIMES).vectors_BCD
    gradient = np.zeros_like(before)
    gradient[..., 0] = 1 / len(TIMES)
    one.apply_gradients(TIMES, gradient, steps, 0)
    moved = one.encode(TIMES).vectors_BCD - before
    assert moved[..., 0].mean() < -1e-4
    assert abs(moved[..., 1].mean()) < abs(moved[..., 0].mean())


def test_a_state_is_remembered_by_round_and_returned_to():
    one = office(taught=3)
    encoded = []
    for number in range(2):
        one.pretrain(TIMES, 2)
        one.snapshot(number, best=0)
        encoded.append(one.encode(TIMES).vectors_BCD)
    one.restore_snapshot(0)
    np.testing.assert_array_equal(one.encode(TIMES).vectors_BCD, encoded[0])
    assert not np.array_equal(*encoded)
    with pytest.raises(KeyError):
        one.restore_snapshot(7)


def test_layers_go_from_encoder_to_encoder_and_copies_do():
    one, other = office(seed=1), office(seed=2)
    layers = one.export(("h1", "h2", "h3", "bottleneck"))
    other.start_from(layers)
    assert same(other.export(layers), layers)
    layers["h1"]["inner.weight"][:] = 7
    assert not same(other.export(layers), layers)
    assert not same(one.export(layers), layers)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda layers: layers.update(h4=layers["h1"]), "no layer 'h4'"),
        (lambda layers: layers["h1"].pop("inner.bias"), "h1 has other tensors"),
        (lambda layers: layers["h1"].update({"inner.bias": np.zeros(3, np.float32)}), "h1 has"),
        (lambda layers: layers["h1"]["inner.bias"].fill(np.nan), "h1 holds NaN"),
    ],
)
def test_layers_that_do_not_fit_change_nothing(spoil, reason):
    one = office(seed=1)
    before, layers = one.export(EVERY), office(seed=2).export(EVERY)
    spoil(layers)
    with pytest.raises(LayerPackageError, match=reason):
        one.start_from(layers)
    assert same(one.export(EVERY), before)


def test_a_cell_without_any_value_is_not_known():
    panel = TOWN.panels["office"]
    values = panel.values_TNF.copy()
    values[300:, 0] = np.nan
    place = replace(TOWN, panels={"office": replace(panel, values_TNF=values)})
    encoded = agencies(place, ["office"], taught=0)["office"].encode(TOWN.time_T[[290, 350]])
    assert sorted(encoded.known_BC.sum(axis=1).tolist()) == [1, 2]
