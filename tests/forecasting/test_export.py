"""A forecaster as an ONNX file gives its own forecast, elsewhere too, with a card that is right."""

import json
from dataclasses import replace

import numpy as np
import pytest
from little_map import LittleMap, flows, service, three
from typer.testing import CliRunner

import deepcity
from deepcity.city.errors import ExpertError
from deepcity.cli import app
from deepcity.forecasting.export_party import export_party
from deepcity.forecasting.onnx_graph import build_graph, newest_inputs
from deepcity.forecasting.run_parties import find_parties
from deepcity.learning.ensemble.loss_allowance import LossAllowance, Pending, allowance

onnxruntime = pytest.importorskip("onnxruntime")


def exported(folder, party, out, **how):
    (one,) = [found for found in find_parties(folder) if found.party == party]
    return export_party(one, out, **how)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A newcomer among two members: networks in a scale of their own, and all levels."""
    folder = tmp_path_factory.mktemp("town")
    path = three(folder).write(
        service(
            levels=(),
            settings='pooled = false\nexperts = ["network", "ridge", "typical_day"]\n'
            'newcomers = ["west/office"]',
            span='scarce = { "west/office" = 4 }',
        )
    )
    return deepcity.Federation(path, folder / "run").fit()


@pytest.mark.parametrize("party", ["east/south", "west/office"])
def test_the_file_gives_deepcitys_own_forecast_and_band(town, party, tmp_path):
    out = tmp_path / "model.onnx"
    done = CliRunner().invoke(
        app, ["export", str(town.folder), "--party", party, "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    own = town.forecaster("water", party).predict()
    kept = np.load(f"{out}.inputs.npz")
    session = onnxruntime.InferenceSession(out.read_bytes(), providers=["CPUExecutionProvider"])
    inputs = {one.name: kept[one.name] for one in session.get_inputs()}
    forecast, low, high = session.run(["forecast", "low", "high"], inputs)
    np.testing.assert_allclose(forecast, own.forecast_BNH[0], rtol=1e-4)
    np.testing.assert_allclose(forecast, kept["forecast"], rtol=1e-4)
    for found, expected in zip((low, high), own.band, strict=True):
        np.testing.assert_allclose(found, expected[0], rtol=1e-4)
    inputs["typical_day"] = inputs["typical_day"] + 1
    assert np.allclose(session.run(["forecast"], inputs)[0], forecast + 1, rtol=1e-4)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_what_the_allowance_leaves_is_in_the_file(town, share):
    forecaster = town.forecaster("water", "west/office")
    whole = forecaster._bundle
    view = forecaster.open_at()
    origins_B = np.array([view.newest_origin])
    own_NH = view.expert_forecasts(view.data.inputs.samples(origins_B), origins_B)[0, 0]
    apart_NH = view.newest().forecast_BNH[0] - own_NH
    recent = whole.ensemble.recent
    left = share * float(np.abs(apart_NH).sum())
    spent = LossAllowance(allowance(recent.own.cautious_N, view.horizon, Pending()) - left)
    changed = town.forecaster("water", "west/office")
    changed._bundle = replace(whole, ensemble=replace(whole.ensemble, allowance=spent))
    view = changed.open_at()
    session = onnxruntime.InferenceSession(
        build_graph(view, range(len(view.experts))), providers=["CPUExecutionProvider"]
    )
    sample = newest_inputs(view)
    inputs = {one.name: sample[one.name] for one in session.get_inputs()}
    (forecast,) = session.run(["forecast"], inputs)
    np.testing.assert_allclose(forecast, own_NH + share * apart_NH, rtol=1e-4)
    np.testing.assert_allclose(forecast, view.newest().forecast_BNH[0], rtol=1e-4)


def test_the_card_holds_what_the_run_measured(town, tmp_path):
    exported(town.folder, "west/office", tmp_path / "m.onnx")
    card = json.loads((tmp_path / "m.onnx.card.json").read_text())
    (only,) = town.results.services
    (party,) = [one for one in only.parties if one.name == "west/office"]
    for method, errors in party.test.items():
        assert card["test_errors"][method]["mae"] == pytest.approx(errors.mae)
    assert card["reuse_level"] == party.level
    assert card["leakage"] == "not measured"
    assert card["grant"] == {"level": 6, "stem": "private", "truths": "own"} | {
        "truths": town.map.services[0].settings.grant.truths_of("west/office")
    }
    assert sum(one["weight"] for one in card["experts"]) == pytest.approx(1)
    assert card["learned_from"]["rows"]["to"] == card["learned_from"]["kept_aside"]["from"]
    page = (tmp_path / "m.onnx.card.md").read_text()
    for word in ("west/office", "not measured", "automatic", "typical_day", "L/s"):
        assert word in page


def test_an_expert_that_cannot_be_exported_is_named_or_left_out(tmp_path):
    town = LittleMap(tmp_path)
    for seed, name in enumerate(("a/x", "a/y")):
        town.party(name, flows(days=46, places=1, seed=seed))
    path = town.write(
        service(
            levels=(), rounds=1, settings='pooled = false\nexperts = ["network", "gaussian_days"]'
        )
    )
    deepcity.Federation(path, tmp_path / "run").fit()
    out = tmp_path / "m.onnx"
    with pytest.raises(ExpertError, match="experts gaussian_days cannot be exported"):
        exported(tmp_path / "run", "a/x", out)
    assert not out.exists()
    done = exported(tmp_path / "run", "a/x", out, networks_only=True)
    assert done.left_out == ("gaussian_days",)
    assert json.loads((tmp_path / "m.onnx.card.json").read_text())["onnx"]["left_out"] == [
        "gaussian_days"
    ]
