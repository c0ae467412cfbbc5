"""An application in a file forecasts as its learner does; its bands know who is heard."""

import copy
from dataclasses import replace

import numpy as np
import pytest
from live_town import LEARNED_DAYS

from deepcity.city.errors import LayerPackageError
from deepcity.learning.split.fused_package import calibrate, load_fused, package_fused, save_fused
from deepcity.learning.split.fusion_inputs import without_agency

ORIGINS = np.arange(LEARNED_DAYS * 24, LEARNED_DAYS * 24 + 60)


@pytest.fixture
def heard(town_trained):
    times = town_trained.panel("metro").time_T[ORIGINS]
    return {name: one.encode(times) for name, one in town_trained.learners.items()}


@pytest.mark.parametrize("left_out", ["nobody", "weather", "gates", "all"])
def test_what_was_saved_forecasts_what_the_learner_does(town_trained, heard, left_out):
    loaded = load_fused(town_trained.fused_file)
    assert loaded.facts == town_trained.fused.facts
    samples = town_trained.inputs.samples(ORIGINS)
    deep = {} if left_out == "all" else without_agency(heard, left_out)
    forecast = town_trained.learner.predict(samples, deep)
    wanted = samples.baseline_BNH + samples.scale_N1 * forecast
    np.testing.assert_allclose(loaded.predict(samples, deep), wanted, rtol=1e-4)


def test_a_network_without_labels_names_who_can_run_it(town_trained, heard, tmp_path):
    package = town_trained.fused
    network = copy.deepcopy(package.network)
    network.own = False
    samples, message = (
        town_trained.inputs.samples(ORIGINS),
        r"labels_stay = false.*`deepcity serve`",
    )
    parts = (town_trained.inputs, package.cells, package.cell_weights, samples, heard)
    with pytest.raises(LayerPackageError, match=message):
        package_fused(package.facts, network, *parts)
    path = save_fused(tmp_path, replace(package, network=network))
    with pytest.raises(LayerPackageError, match=message):
        load_fused(path)


def test_who_is_heard_makes_a_difference(town_trained, heard):
    samples = town_trained.inputs.samples(ORIGINS)
    truth = samples.truth_BNH
    errors = {
        names: np.nanmean(np.abs(town_trained.fused.predict(samples, deep) - truth)[..., 0])
        for names, deep in {"both": heard, "none": {}}.items()
    }
    assert errors["both"] < 0.9 * errors["none"]


def test_bands_grow_where_agencies_fall_silent(town_trained):
    bands = load_fused(town_trained.fused_file).bands
    assert len(bands) == 4
    for names, band in bands.items():
        for more, narrower in bands.items():
            if names < more:
                assert (band >= narrower).all()
    everybody, nobody = bands[frozenset({"gates", "weather"})], bands[frozenset()]
    assert nobody[:, 0].mean() > 1.3 * everybody[:, 0].mean()


def test_a_set_that_was_not_calibrated_gets_a_band_as_wide_as_fewer_voices(town_trained):
    package = town_trained.fused
    kept = {names: band for names, band in package.bands.items() if len(names) != 1}
    fewer = replace(package, bands=kept)
    np.testing.assert_array_equal(fewer.half_width({"weather"}), kept[frozenset()])


def test_the_network_that_learned_alone_answers_when_nobody_is_heard(town_trained, heard):
    package = town_trained.fused
    alone = replace(package, alone=package.network.trunk)
    samples = town_trained.inputs.samples(ORIGINS)
    np.testing.assert_allclose(alone.predict(samples, {}), package.predict(samples, {}), rtol=1e-5)
    bands, _ = calibrate(
        package.network, alone.alone, package.cell_weights, samples, heard, package.facts.band
    )
    assert (bands[frozenset()] >= bands[frozenset(heard)]).all()


def test_saved_with_the_network_that_learned_alone(town_trained, heard, tmp_path):
    package = town_trained.fused
    both = package_fused(
        package.facts, package.network, town_trained.inputs, package.cells, package.cell_weights,
        town_trained.inputs.samples(ORIGINS), heard, package.network.trunk,
    )  # fmt: skip
    loaded = load_fused(save_fused(tmp_path, both))
    samples = town_trained.inputs.samples(ORIGINS)
    np.testing.assert_array_equal(loaded.predict(samples, {}), both.predict(samples, {}))
    assert loaded.version == both.version != package.version


def test_facts_that_do_not_fit_are_reported_together(town_trained, heard):
    package = town_trained.fused
    window = package.facts.settings.model_copy(update={"leads": 2})
    facts = replace(package.facts, settings=window, agencies=package.facts.agencies[:1])
    with pytest.raises(LayerPackageError) as caught:
        package_fused(
            facts, package.network, town_trained.inputs, package.cells, package.cell_weights,
            town_trained.inputs.samples(ORIGINS), heard,
        )  # fmt: skip
    for message in ("2 leads", "cells of ['gates', 'weather']", "the network takes"):
        assert message in str(caught.value)


@pytest.mark.parametrize("place", [30, 900, -2])
def test_a_changed_byte_of_an_application_is_refused(town_trained, tmp_path, place):
    path = town_trained.fused_file
    blob = bytearray(path.read_bytes())
    blob[place] ^= 1
    (tmp_path / path.name).write_bytes(blob)
    with pytest.raises(LayerPackageError, match="refused"):
        load_fused(tmp_path / path.name)


def test_a_band_of_another_shape_is_refused(town_trained, tmp_path):
    package = town_trained.fused
    bands = {names: band[:2] for names, band in package.bands.items()}
    path = save_fused(tmp_path, replace(package, bands=bands))
    with pytest.raises(LayerPackageError, match=r"band \+ is \(2, 2\).*3 places"):
        load_fused(path)
