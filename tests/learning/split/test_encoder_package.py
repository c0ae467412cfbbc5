"""An encoder in a file encodes new rows as the learner did that trained it."""

import copy
from dataclasses import replace

import numpy as np
import pytest
from live_town import HOUR, NOW, SALT, START

from deepcity.city.errors import LayerPackageError
from deepcity.data.windows import Span
from deepcity.learning.features.agency_columns import ColumnSettings, fit_columns
from deepcity.learning.split.encoder_package import (
    TimeGrid,
    _content,
    load_encoder,
    package_encoder,
    save_encoder,
)
from deepcity.store.packages.sealed_file import version_of

TIMES = NOW + HOUR * np.arange(-30, 40, dtype=np.int64)


@pytest.fixture(params=["weather", "gates"])
def name(request):
    return request.param


def test_what_was_saved_says_what_the_learner_says(town_trained, name):
    loaded = load_encoder(town_trained.encoder_files[name])
    assert loaded.facts == town_trained.encoders[name].facts
    assert loaded.version == town_trained.encoders[name].version
    found = loaded.encode(town_trained.panel(name), TIMES)
    wanted = town_trained.learners[name].encode(TIMES)
    np.testing.assert_allclose(found.vectors_BCD, wanted.vectors_BCD, atol=1e-5)
    np.testing.assert_array_equal(found.known_BC, wanted.known_BC)
    assert np.abs(np.diff(found.vectors_BCD, axis=0)).max() > 0.01  # it says something


def test_what_it_says_depends_on_no_other_time_that_is_asked(town_trained, name):
    package, panel = town_trained.encoders[name], town_trained.panel(name)
    together = package.encode(panel, TIMES).vectors_BCD
    alone = [package.encode(panel, TIMES[i : i + 1]).vectors_BCD[0] for i in range(len(TIMES))]
    np.testing.assert_array_equal(together, np.array(alone))


def test_rows_it_does_not_look_back_on_may_be_forgotten(town_trained, name):
    package, panel = town_trained.encoders[name], town_trained.panel(name, NOW)
    short = panel.between(NOW - package.steps_back * HOUR, NOW)
    assert len(short.time_T) < len(panel.time_T)
    now = np.array([NOW])
    found, wanted = (package.encode(one, now).vectors_BCD for one in (short, panel))
    np.testing.assert_array_equal(found, wanted)


def test_equal_content_is_an_equal_version_and_other_weights_are_another(town_trained, tmp_path):
    package = town_trained.encoders["weather"]
    path = save_encoder(tmp_path, package)
    assert path.read_bytes() == town_trained.encoder_files["weather"].read_bytes()
    assert town_trained.encoders["gates"].version != package.version


def test_training_on_does_not_change_a_package(town_trained):
    package, learner = town_trained.encoders["weather"], town_trained.learners["weather"]
    weight = package.encoder.stem.weight
    assert weight.data_ptr() != learner.encoder.stem.weight.data_ptr()


@pytest.mark.parametrize("place", [20, 400, -5])
def test_a_changed_byte_is_refused(town_trained, tmp_path, place):
    path = town_trained.encoder_files["weather"]
    blob = bytearray(path.read_bytes())
    blob[place] ^= 1
    (tmp_path / path.name).write_bytes(blob)
    with pytest.raises(LayerPackageError, match=r"refused.*get it again"):
        load_encoder(tmp_path / path.name)


def test_what_is_no_encoder_is_refused(town_trained, tmp_path):
    with pytest.raises(LayerPackageError, match="format is 'deepcity-fused-3'"):
        load_encoder(town_trained.fused_file)
    with pytest.raises(LayerPackageError, match="no such file"):
        load_encoder(tmp_path / "missing.encoder")
    renamed = tmp_path / "weather-0123456789abcdef.encoder"
    renamed.write_bytes(town_trained.encoder_files["weather"].read_bytes())
    with pytest.raises(LayerPackageError, match="renamed or swapped"):
        load_encoder(renamed)


def test_rows_of_another_kind_are_refused_with_every_reason(town_trained):
    package = town_trained.encoders["weather"]
    with pytest.raises(LayerPackageError) as caught:
        package.encode(town_trained.panel("gates"), TIMES)
    for message in ("exits (passengers)", "rain (1), wind (1)", "3 cells are not the 1"):
        assert message in str(caught.value)


def test_a_weight_that_is_not_finite_cannot_be_saved(town_trained, tmp_path):
    package = town_trained.encoders["weather"]
    encoder = copy.deepcopy(package.encoder)
    encoder.stem.bias.data[3] = float("nan")
    with pytest.raises(LayerPackageError, match=r"encoder/stem\.bias"):
        save_encoder(tmp_path, replace(package, encoder=encoder))
    assert not list(tmp_path.iterdir())


def test_a_field_that_was_never_measured_has_no_level_and_can_be_saved(town_trained, tmp_path):
    panel = town_trained.panel("weather")
    values = panel.values_TNF.copy()
    values[:, :, 1] = np.nan
    calm = replace(panel, values_TNF=values)
    columns = fit_columns(calm, ColumnSettings(history=4), Span(0, 200), SALT)
    assert columns.stats.spread_CF[0, 1] == 0
    assert not columns.standard_TCF[:, 0, 1].any()
    encoder = town_trained.encoders["weather"].encoder
    package = package_encoder(town_trained.encoders["weather"].facts, columns, encoder)
    loaded = load_encoder(save_encoder(tmp_path, package))
    found, wanted = (one.encode(calm, TIMES).vectors_BCD for one in (loaded, package))
    np.testing.assert_array_equal(found, wanted)
    assert np.isfinite(found).all()


def test_fields_it_did_not_learn_are_left_out_wherever_they_stand(town_trained):
    package, panel = town_trained.encoders["weather"], town_trained.panel("weather")
    order = [1, 0, 0]
    extra = replace(panel.fields[0], name="snow")
    fields = (panel.fields[1], panel.fields[0], extra)
    wider = replace(panel, fields=fields, values_TNF=panel.values_TNF[:, :, order])
    found, wanted = (package.encode(one, TIMES).vectors_BCD for one in (wider, panel))
    np.testing.assert_array_equal(found, wanted)


def test_the_agreed_times():
    grid = TimeGrid(900, 300)
    assert [grid.off(t) for t in (300, 301, 1199)] == [0, 1, 899]
    assert grid.between(300, 2100).tolist() == [1200, 2100]
    assert grid.between(299, 1199).tolist() == [300]
    assert not len(grid.between(START, START))


def test_statistics_that_do_not_fit_its_cells_are_refused_though_rightly_signed(
    town_trained, tmp_path
):
    package = town_trained.encoders["weather"]
    shorter = replace(package.stats, typical_SCF=package.stats.typical_SCF.reshape(-1)[1:])
    bare = replace(package, stats=shorter)
    bare = replace(bare, version=version_of(*_content(bare)))
    with pytest.raises(LayerPackageError, match="its statistics have shapes"):
        load_encoder(save_encoder(tmp_path, bare))
