"""Whole runs of little maps: results, choices, packages, transfer learning, resuming."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from little_map import LittleMap, flows, service, three, without_seconds

from deepcity.city.errors import CheckpointError, ConfigError, DataError, LayerPackageError
from deepcity.city.level import HIDDEN_LAYERS
from deepcity.maps.city_map import load_map
from deepcity.runs.results import RunResults
from deepcity.runs.run import load_results, run_map
from deepcity.store.packages.layer_package import load_package
from deepcity.web.report.notes import note

ONE = {"levels": (), "settings": "automatic = false\npooled = false"}


def run(path, folder):
    return run_map(load_map(path), folder)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A finished run of the usual little map, with one place all missing and one constant."""
    folder = tmp_path_factory.mktemp("done")
    values = flows(places=3, seed=5)
    values[:, 1], values[:, 2] = 7.0, np.nan
    little = three(folder).party("west/odd", values)
    path = little.write(service(grant='level = 6\nparty = { "east/south" = 2 }'))
    return path, folder / "run", run(path, folder / "run")


def test_results_go_round_and_hold_every_method(done):
    _, folder, results = done
    assert load_results(folder).model_dump() == results.model_dump()
    (only,) = results.services
    for party in only.parties:
        assert set(party.test) == {
            "same_hour_yesterday",
            "same_hour_last_week",
            "persistence",
            "ridge",
            "alone",
            "level_2",
            "level_6",
            "automatic",
            "pooled",
        }
        assert all(np.isfinite(errors.mae) for errors in party.test.values())
        assert 0 <= party.band_coverage <= 1
        assert len(party.forecast.times) == len(party.forecast.forecast) > 0
        assert party.validation_mae.keys() >= {"0", "1", "2"}
    assert {curve.method for curve in only.curves} == {"alone", "level_2", "level_6", "pooled"}
    assert all(len(curve.error_by_round) == 4 for curve in only.curves)


def test_a_party_goes_no_deeper_than_it_grants(done):
    (only,) = done[2].services
    south = next(party for party in only.parties if party.name == "east/south")
    assert set(south.validation_mae) == {"0", "1", "2"}
    assert south.level <= 2
    traffic = {traffic.method: traffic for traffic in only.traffic}
    assert set(traffic["alone"].bytes_by_layer) <= {"header", "claim"}  # no layer
    assert traffic["level_2"].bytes_by_party["east/south"] == pytest.approx(
        traffic["level_6"].bytes_by_party["east/south"], rel=0.01
    )
    assert set(traffic["level_2"].bytes_by_layer) == {"header", "claim", "h1", "h2"}
    assert "stem" not in traffic["level_6"].bytes_by_layer


def test_the_common_layers_are_exported_as_a_whole_package(done):
    _, folder, _ = done
    (path,) = (folder / "coordinator" / "layers").glob("*.layers")
    package = load_package(path)
    assert set(package.layers) == {*HIDDEN_LAYERS, "head"}
    assert package.manifest.city == "east+west"
    assert package.manifest.horizon_steps == 6


def test_a_finished_run_gives_the_same_results_again(done):
    path, folder, results = done
    before = {file.name for file in (folder / "coordinator" / "layers").iterdir()}
    again = run(path, folder)
    assert without_seconds(again.model_dump(mode="json")) == without_seconds(
        results.model_dump(mode="json")
    )
    assert {file.name for file in (folder / "coordinator" / "layers").iterdir()} == before


def test_a_changed_map_is_refused(done, tmp_path):
    path, folder, _ = done
    other = path.with_name("other.toml")
    other.write_text(path.read_text().replace("seed = 1", "seed = 2"))
    with pytest.raises(CheckpointError, match="start anew with --fresh"):
        run(other, folder)
    broken = tmp_path / "broken"
    (broken / "coordinator").mkdir(parents=True)
    (broken / "coordinator" / "run.json").write_text("{")
    with pytest.raises(CheckpointError, match="holds a run of another map"):
        run(path, broken)


@pytest.mark.parametrize("text", [None, "", "{}", '{"map": 3', "[]"])
def test_results_that_cannot_be_read_are_refused(tmp_path, text):
    if text is not None:
        (tmp_path / "results.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"results\.json|this folder is empty"):
        load_results(tmp_path)


def test_a_test_span_without_truths_gives_results_that_can_be_read_again(tmp_path):
    empty = flows(places=1)
    empty[31 * 24 :] = np.nan
    little = LittleMap(tmp_path).party("a/x", flows(places=1)).party("a/y", empty)
    results = run(little.write(service(levels=(6,), rounds=1)), tmp_path / "run")
    (x, y) = results.services[0].parties
    assert np.isfinite(x.test["alone"].mae)
    assert np.isnan(y.test["alone"].mae)
    text = (tmp_path / "run" / "results.json").read_text()
    json.loads(text, parse_constant=pytest.fail)  # strict JSON: no NaN in it
    read = load_results(tmp_path / "run")
    assert np.isnan(read.services[0].parties[1].test["alone"].mae)
    assert isinstance(read, RunResults)


def test_without_the_deepest_level_nothing_is_exported(tmp_path):
    settings = "automatic = false\npooled = false"
    path = three(tmp_path).write(service(levels=(1,), rounds=1, settings=settings))
    (only,) = run(path, tmp_path / "run").services
    assert [party.level for party in only.parties] == [0, 0, 0]
    assert not list((tmp_path / "run").rglob("*.layers"))


@pytest.mark.parametrize("strategy", ['name = "fedprox"\nmu = 0.5', 'name = "fedamp"'])
def test_other_strategies_run_from_a_map(tmp_path, strategy):
    more = f"[service.strategy]\n{strategy}"
    path = three(tmp_path).write(
        service(levels=(6,), rounds=2, settings="pooled = false", more=more)
    )
    (only,) = run(path, tmp_path / "run").services
    assert all(np.isfinite(party.test["level_6"].mae) for party in only.parties)


def test_a_common_stem_leaves_only_where_the_map_says_so(tmp_path):
    settings = "pooled = false"
    path = three(tmp_path).write(
        service(levels=(3,), rounds=1, settings=settings, grant='level = 3\nstem = "common"')
    )
    (only,) = run(path, tmp_path / "run").services
    assert "stem" in next(t for t in only.traffic if t.method == "level_3").bytes_by_layer


def test_a_party_takes_part_with_a_stem_of_its_own(tmp_path):
    party = '"east/south" = { stem = "private" }, "west/office" = { level = 2 }'
    grant = f'stem = "common"\nparty = {{ {party} }}'
    path = three(tmp_path).write(service(levels=(6,), rounds=1, grant=grant))
    (only,) = run(path, tmp_path / "run").services
    sent = next(t for t in only.traffic if t.method == "level_6")
    assert {"stem", "h5", "head"} <= set(sent.bytes_by_layer)
    own = sent.bytes_by_party["east/south"]  # all but the stem, in every round
    saved = sent.bytes_by_party["east/north"] - own
    assert saved == pytest.approx(sent.bytes_by_layer["stem"] / 2, rel=0.1)
    by_name = {party.name: set(party.validation_mae) for party in only.parties}
    assert by_name["east/south"] == by_name["east/north"] == set("0123456")
    assert by_name["west/office"] == set("012")


def noise(seed, days=36):
    return np.random.default_rng(seed).normal(10, 2, (days * 24, 1))


def test_where_nothing_can_be_gained_joining_costs_nearly_nothing(tmp_path):
    """Parties of pure noise: whatever the levels say on validation days is chance."""
    little = LittleMap(tmp_path)
    for seed in range(4):
        little.party(f"a/n{seed}", noise(seed, days=60))
    path = little.write(service(levels=(), rounds=3, local_steps=20, settings="pooled = false"))
    (only,) = run(path, tmp_path / "run").services
    for party in only.parties:
        assert party.gain() > -0.02


def lawful(seed, days=50, places=4):
    """Flows whose deviations follow one bent law everywhere: it can be learned and shared."""
    rng = np.random.default_rng(seed)
    deviation = rng.normal(0, 1, (days * 24, places))
    for step in range(4, days * 24):
        deviation[step] += 0.95 * deviation[step - 1] - 1.2 * np.tanh(2 * deviation[step - 4])
    return flows(days, places, seed=seed, noise=0.05) + deviation


def test_a_party_with_few_days_chooses_to_join_where_it_helps(tmp_path):
    little = LittleMap(tmp_path)
    for seed in range(4):
        little.party(f"a/l{seed}", lawful(seed))
    path = little.write(
        service(
            levels=(),
            rounds=5,
            local_steps=25,
            refit_steps=30,
            settings="pooled = false",
            span='scarce = { "a/l0" = 2 }',
        )
    )
    (only,) = run(path, tmp_path / "run").services
    scarce = only.parties[0]
    assert scarce.scarce
    assert scarce.level > 0
    assert scarce.test["automatic"].mae < 0.9 * scarce.test["alone"].mae


def test_a_package_holds_only_what_was_fused(tmp_path):
    path = three(tmp_path).write(service(levels=(), rounds=1, grant="level = 3"))
    run(path, tmp_path / "run")
    (package,) = (tmp_path / "run" / "coordinator" / "layers").glob("*.layers")
    assert set(load_package(package).layers) == {"h1", "h2", "h3"}


def test_fixed_levels_beyond_the_grant_are_not_run_twice(tmp_path):
    path = three(tmp_path).write(service(levels=(2, 3, 6), rounds=1, grant="level = 3"))
    (only,) = run(path, tmp_path / "run").services
    assert {name for name in only.seconds if name.startswith("level")} == {"level_2", "level_3"}


def test_a_party_with_nobody_to_join_stays_alone(tmp_path):
    path = LittleMap(tmp_path).party("east/only", flows(seed=1)).write(service(levels=()))
    (only,) = run(path, tmp_path / "run").services
    (party,) = only.parties
    assert party.level == 0
    assert party.test["automatic"] == party.test["alone"]
    assert party.weights == {"alone": pytest.approx(1)}
    assert "No level was tried" in note(party.level_reason).en


def test_choosing_costs_the_bytes_of_the_deepest_training(done):
    (only,) = done[2].services
    traffic = {traffic.method: traffic for traffic in only.traffic}
    assert traffic["automatic"].bytes_by_layer == traffic["level_6"].bytes_by_layer


def test_a_resumed_run_tells_the_seconds_of_its_rounds_and_not_of_loading(tmp_path):
    path = three(tmp_path).write(service(levels=(6,), local_steps=40, settings="pooled = false"))
    (first,), (again,) = (run(path, tmp_path / "run").services for _ in range(2))
    for method in ("alone", "level_6"):
        assert again.seconds[method] > 0.5 * first.seconds[method]
    rounds = sum(again.seconds[method] for method in ("alone", "level_6"))
    assert load_results(tmp_path / "run").seconds > rounds


def test_changed_records_are_refused(tmp_path):
    little = three(tmp_path)
    path = little.write(service(**ONE, rounds=1))
    run(path, tmp_path / "run")
    little.party("east/north", flows(places=1, seed=77)).write(service(**ONE, rounds=1))
    with pytest.raises(CheckpointError, match="records of water have changed"):
        run(path, tmp_path / "run")


@pytest.mark.parametrize("span", ["validation_days = 0.1", "test_days = 0.1"])
def test_a_span_too_short_for_one_forecast_is_named(tmp_path, span):
    key = span.partition(" ")[0]
    path = three(tmp_path).write(service(**ONE, rounds=1))
    path.write_text(path.read_text().replace(f"{key} = 5", span))
    with pytest.raises(DataError, match=f"span.{key}: shorter than one forecast"):
        run(path, tmp_path / "run")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A package of common layers from another little map, which stays as it is."""
    folder = tmp_path_factory.mktemp("source")
    path = three(folder).write(service(levels=(6,), rounds=2, settings=ONE["settings"]))
    run(path, folder / "run")
    (package,) = (folder / "run" / "coordinator" / "layers").glob("*.layers")
    return package


@pytest.fixture
def package(source, tmp_path):
    """A copy of it for one test."""
    return Path(shutil.copy(source, tmp_path))


def reusing(tmp_path, package, level, *, frozen=False, **how):
    more = (
        f'[service.reuse]\npackage = "{package}"\nlevel = {level}\nfrozen = {str(frozen).lower()}'
    )
    folder = tmp_path / f"target-{level}-{frozen}"
    folder.mkdir()
    how = {"levels": (3,), "settings": ONE["settings"], "rounds": 2, **how}
    return three(folder).write(service(**how, more=more)), folder / "run"


def joined_layers(folder):
    """h1 of the first party after its last round, from its checkpoint."""
    from deepcity.store.checkpoint import CheckpointStore

    own = folder / "sites" / "east.north" / "checkpoints"
    arrays = CheckpointStore(own).load_latest("water.level_3").arrays
    return {key: value for key, value in arrays["learner"].items() if "now/" in key}


def test_layers_of_another_service_are_reused_frozen_and_fine_tuned(tmp_path, package):
    layers = load_package(package).layers
    for frozen in (True, False):
        path, folder = reusing(tmp_path, package, 3, frozen=frozen)
        run(path, folder)
        after = joined_layers(folder)
        for layer in ("h1", "h3"):
            same = [np.array_equal(after[f"now/{layer}.{k}"], v) for k, v in layers[layer].items()]
            assert all(same) == frozen
        assert not np.array_equal(after["now/h4.inner.weight"], layers["h4"]["inner.weight"])


def test_learning_alone_starts_from_nobodys_layers_and_all_else_from_the_packages(
    tmp_path, package
):
    how = {"levels": (), "settings": "pooled = false"}
    path, folder = reusing(tmp_path, package, 3, **how)
    with_them = run(path, folder).services[0]
    plain = tmp_path / "plain"
    plain.mkdir()
    path = three(plain).write(service(**{**how, "rounds": 2}))
    without = run(path, plain / "run").services[0]
    for own, other in zip(with_them.parties, without.parties, strict=True):
        assert own.test["alone"] == other.test["alone"]
        assert own.test["automatic"] != other.test["automatic"]
    assert (
        "started from h1 to h3 of another service, water (east+west)."
        in note(with_them.notes[0]).en
    )
    assert not any(one.code.startswith("started") for one in without.notes)


def test_a_party_with_nobody_to_join_weighs_what_a_package_is_worth(tmp_path, package):
    folder = tmp_path / "lonely"
    folder.mkdir()
    more = f'[service.reuse]\npackage = "{package}"\nlevel = 3'
    how = {"levels": (), "rounds": 2, "settings": "pooled = false", "more": more}
    path = LittleMap(folder).party("far/only", flows(seed=7)).write(service(**how))
    (only,) = run(path, folder / "run").services[0].parties
    assert set(only.validation_mae) == set("0123")


@pytest.mark.parametrize(
    "how", [ONE, {"grant": "level = 0"}], ids=["only alone", "nothing granted"]
)
def test_a_package_that_nothing_would_start_from_is_refused(tmp_path, how):
    path, _ = reusing(tmp_path, "any.layers", 3, **how)
    with pytest.raises(ConfigError, match="only learning alone is run"):
        load_map(path)


def test_frozen_layers_stay_so_through_joining_and_refitting(tmp_path, package):
    path, folder = reusing(
        tmp_path, package, 5, frozen=True, levels=(), settings="pooled = false", grant="level = 5"
    )
    run(path, folder)
    (joined,) = (folder / "coordinator" / "layers").glob("*.layers")
    before, after = load_package(package).layers, load_package(joined).layers
    for layer in HIDDEN_LAYERS:
        for name, value in before[layer].items():
            np.testing.assert_array_equal(after[layer][name], value)


def test_a_package_of_another_horizon_is_refused_where_its_head_is_wanted(tmp_path, package):
    path, folder = reusing(tmp_path, package, 6, horizon=12)
    with pytest.raises(LayerPackageError, match=r"head/out\.weight is \(6, 64\)"):
        run(path, folder)


def test_a_package_without_the_wanted_layers_is_refused(tmp_path, package):
    from deepcity.store.packages.layer_package import save_package
    from deepcity.store.packages.manifest import Facts

    whole = load_package(package)
    facts = Facts(**{k: getattr(whole.manifest, k) for k in Facts.model_fields})
    small = save_package(tmp_path, facts, {"h1": whole.layers["h1"]})
    path, folder = reusing(tmp_path, small.path, 3)
    with pytest.raises(LayerPackageError, match=r"lacks h2, h3; it has h1\. Lower reuse\.level"):
        run(path, folder)


def test_a_damaged_or_absent_package_is_refused(tmp_path, package):
    package.write_bytes(package.read_bytes()[:-1])
    path, folder = reusing(tmp_path, package, 3)
    with pytest.raises(LayerPackageError, match="is refused"):
        run(path, folder)
    package.unlink()
    with pytest.raises(LayerPackageError, match="no such file or folder"):
        run(path, folder)
