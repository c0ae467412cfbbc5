"""Refining a run: better or as it was, nothing forgotten beyond the bound, nothing half done."""

from collections import Counter

import numpy as np
import pytest
from little_map import flows
from update_town import RUN_DAYS, copied, own_prints, package, refine, turning, write

from deepcity.city.errors import CheckpointError, ConfigError
from deepcity.learning.ensemble.multi_view_ensemble import parts_of_day, run_ensemble
from deepcity.learning.training.learner import EVERY_LAYER
from deepcity.maps.city_map import load_map
from deepcity.runs.run import run_map
from deepcity.runs.update.forecaster_bundle import BundleStore
from deepcity.runs.update.party import build_refine_data
from deepcity.runs.update.record_check import load_records
from deepcity.runs.update.refinable_experts import experts_of
from deepcity.runs.update.refine_spans import refine_spans, unseen_origins
from deepcity.runs.update.results import UpdateOutcome
from deepcity.runs.update.run import refine_map
from deepcity.store.run_folder import site_folder
from deepcity.web.report.sentences.updates import reason, update_notes

NAMES = ("east/calm", "east/back", "west/turned")
LATER = RUN_DAYS + 10


@pytest.fixture(scope="module")
def run_town(tmp_path_factory):
    """A town whose map was run, with no new rows yet."""
    folder = tmp_path_factory.mktemp("town")
    path = write(folder)
    run_map(load_map(path), folder / "run")
    return folder


@pytest.fixture(scope="module")
def refined_town(run_town, tmp_path_factory):
    """The same ten days later, refined; with what was found."""
    folder = copied(run_town, tmp_path_factory.mktemp("refined"))
    write(folder, LATER)
    found, trouble = refine(folder)
    assert trouble is None
    return folder, found


def holdout_error(folder, name, number):
    """Error of a package's experts on the judged days, measured afresh from its file."""
    city_map = load_map(folder / "map.toml")
    (service,) = city_map.services
    member = next(member for member in service.members if member.name == name)
    store = BundleStore.of(site_folder(folder / "run", name))
    first = store.store.folder / f"water.{name.replace('/', '.')}.{number:06d}.checkpoint"
    newer = store.store.folder / f"water.{name.replace('/', '.')}.{number + 1:06d}.checkpoint"
    old, new = _alone(store, first, name), _alone(store, newer, name)
    rows = load_records(service, member, old)
    days, origins_B = refine_spans(name, rows.known), unseen_origins(rows.known)
    refine_data = build_refine_data(service, rows, 1)
    samples = refine_data.inputs.samples(origins_B)
    forecasts = [
        np.stack(
            [
                one.expert.predict(samples, origins_B)
                for one in experts_of(kept.experts, refine_data)
            ]
        )
        for kept in (old, new)
    ]
    later = origins_B >= days.holdout.start
    part_BH = parts_of_day(refine_data.inputs.grid, origins_B, rows.known.horizon)
    changed = forecasts[0].copy()
    changed[:, later] = forecasts[1][:, later]
    ensembled = [
        run_ensemble(one, samples.truth_BNH, origins_B, part_BH, old.ensemble).forecast_BNH
        for one in (forecasts[0], changed)
    ]
    return [float(np.nanmean(np.abs(one - samples.truth_BNH)[later])) for one in ensembled]


def _alone(store, path, name):
    """The package in one file, whatever others are there."""
    others = [p for p in path.parent.glob(f"{path.name[:-18]}*") if p != path]
    hidden = [(p, p.rename(p.with_suffix(".hidden"))) for p in others]
    found = store.load("water", name)
    for before, now in hidden:
        now.rename(before)
    return found


def test_networks_are_taken_only_where_they_err_less(refined_town):
    folder, found = refined_town
    outcomes = Counter(party.outcome for party in found.values())
    assert outcomes == {UpdateOutcome.REFINED: 2, UpdateOutcome.KEPT: 1}
    for name in NAMES:
        was, now = holdout_error(folder, name, 0)
        assert now <= was
        assert found[name].kept == pytest.approx(was, rel=1e-5)
        if found[name].outcome is UpdateOutcome.REFINED:
            assert found[name].refined == pytest.approx(now, rel=1e-5)
            assert now < was


def test_a_step_that_would_err_more_is_undone_and_reported(run_town, tmp_path):
    folder = copied(run_town, tmp_path)
    write(folder, LATER)
    before = package(folder, "east/back")
    found, _ = refine(folder, parties=("east/back",))
    reported, after = found["east/back"], package(folder, "east/back")
    assert reported.outcome is UpdateOutcome.KEPT
    assert reported.refined >= reported.kept
    assert "the update was undone" in reason(reported).en
    for one, other in zip(before.experts, after.experts, strict=True):
        assert one.arrays.keys() == other.arrays.keys()
        for name, values in one.arrays.items():
            np.testing.assert_array_equal(values, other.arrays[name])
    assert after.times.learned_to == before.times.learned_to  # to be learned with the next
    assert after.times.seen_to > before.times.seen_to


@pytest.mark.parametrize("max_forgetting", [0.0, 0.01])
def test_no_network_forgets_more_than_the_bound(run_town, tmp_path, max_forgetting):
    folder = copied(run_town, tmp_path)
    write(folder, LATER)
    found, _ = refine(folder, max_forgetting=max_forgetting, parties=("west/turned",))
    assert found["west/turned"].forgetting <= max_forgetting + 1e-6
    (service,) = load_map(folder / "map.toml").services
    member = next(member for member in service.members if member.name == "west/turned")
    now = package(folder, "west/turned")
    refine_data = build_refine_data(service, load_records(service, member, now), 1)
    forgetting = [own.forgetting for own in experts_of(now.experts, refine_data)]
    assert max(forgetting) <= max_forgetting + 1e-6


def test_the_bound_holds_over_refinings_together(refined_town, tmp_path):
    folder = copied(refined_town[0], tmp_path)
    for days in (LATER + 7, LATER + 14):
        write(folder, days)
        found, _ = refine(folder, max_forgetting=0.02, parties=("west/turned",))
        allowed = max(0.02, refined_town[1]["west/turned"].forgetting)
        assert found["west/turned"].forgetting <= allowed + 1e-6


def test_the_judged_days_teach_nothing(run_town, tmp_path):
    """Records that differ in the judged week alone give the same refined networks."""
    layers = []
    for name, more in (("as", 0.0), ("higher", 0.05)):
        folder = copied(run_town, tmp_path / name)
        values = turning(90, 31, seed=3)
        values[(LATER - 7) * 24 :] += more
        write(folder, LATER, west_turned=values)
        found, _ = refine(folder, parties=("west/turned",))
        assert found["west/turned"].outcome is UpdateOutcome.REFINED
        layers.append([one.arrays for one in package(folder, "west/turned").experts])
    for one, other in zip(*layers, strict=True):
        for name, values in one.items():
            np.testing.assert_array_equal(values, other[name])


def test_only_layers_that_are_its_own_change(run_town, refined_town):
    for name in NAMES:
        before, after = package(run_town, name), package(refined_town[0], name)
        taken = refined_town[1][name].outcome is UpdateOutcome.REFINED
        for one, other in zip(before.experts, after.experts, strict=True):
            if one.kind != "network":
                continue
            same = dict.fromkeys(EVERY_LAYER, True)
            for key, values in one.arrays.items():
                layer = key.partition("/")[0]
                same[layer] = same.get(layer, True) and np.array_equal(values, other.arrays[key])
            frozen = dict(zip(EVERY_LAYER, one.arrays["frozen"], strict=True))
            assert all(same[layer] for layer in EVERY_LAYER if frozen[layer])
            assert all(same.values()) != taken


def test_with_no_new_rows_nothing_is_changed(run_town, refined_town, tmp_path):
    for given, number in ((run_town, 0), (refined_town[0], 1)):
        folder = copied(given, tmp_path / str(number))
        before = own_prints(folder / "run")
        found, trouble = refine(folder)
        assert trouble is None
        assert own_prints(folder / "run") == before
        for name in NAMES:
            assert found[name].outcome is UpdateOutcome.NOTHING_NEW
            assert "Nothing new" in reason(found[name]).en
            assert found[name].number == number


def test_a_new_package_lies_beside_the_old_one_which_is_as_it_was(run_town, refined_town):
    before, after = own_prints(run_town / "run"), own_prints(refined_town[0] / "run")
    assert len(after) == 2 * len(before) == 6
    assert all(after[name][0] == digest for name, (digest, _) in before.items())


def test_refining_repeats_itself_to_the_bit(run_town, refined_town, tmp_path):
    folder = copied(run_town, tmp_path)
    write(folder, LATER)
    refine(folder)
    first, again = own_prints(refined_town[0] / "run"), own_prints(folder / "run")
    assert {name: digest for name, (digest, _) in first.items()} == {
        name: digest for name, (digest, _) in again.items()
    }


def test_drift_is_reported_once_with_its_day(run_town, tmp_path):
    folder = copied(run_town, tmp_path)
    values = flows(90, 2, seed=1)
    values[40 * 24 :] += np.random.default_rng(9).normal(0, 1.5, values[40 * 24 :].shape)
    write(folder, 56, east_calm=values)
    found, _ = refine(folder)
    drift = found["east/calm"].drift
    began = int(package(folder, "east/calm").days[0].start) - 26 * 86_400 + 40 * 86_400
    assert abs(drift.since - began) <= 3 * 86_400
    assert drift.excess > 0.5
    (words,) = [words.en for words in update_notes(found["east/calm"])]
    assert words.startswith("Drift: since")
    write(folder, 63, east_calm=values)
    assert refine(folder, parties=("east/calm",))[0]["east/calm"].drift is None


def test_corrected_old_rows_are_reported_and_forgetting_counts_anew(run_town, tmp_path):
    folder = copied(run_town, tmp_path)
    values = flows(90, 2, seed=1)
    values[100:200] *= 1.5
    write(folder, LATER, east_calm=values)
    found, trouble = refine(folder, parties=("east/calm",))
    assert trouble is None
    assert "Old rows were corrected" in update_notes(found["east/calm"])[0].en
    again = write(folder, LATER + 7, east_calm=values)
    assert again.exists()
    assert not update_notes(refine(folder, parties=("east/calm",))[0]["east/calm"])


def test_a_damaged_newest_package_is_passed_over_and_reported(refined_town, tmp_path):
    folder = copied(refined_town[0], tmp_path)
    newest = folder / "run" / "sites" / "east.calm" / "own" / "water.east.calm.000001.checkpoint"
    newest.write_bytes(newest.read_bytes()[:-1])
    found, trouble = refine(folder, parties=("east/calm",))
    assert trouble is None
    assert "passed over" in update_notes(found["east/calm"])[-1].en
    assert package(folder, "east/calm").number == 1


def test_the_maps_end_does_not_hold_refining_back(run_town, tmp_path):
    folder = copied(run_town, tmp_path)
    path = write(folder, LATER)
    path.write_text(path.read_text().replace("test_days = 5", "test_days = 5\nend = 2021-03-09"))
    found, _ = refine(folder, parties=("east/calm",))
    assert found["east/calm"].outcome is not UpdateOutcome.NOTHING_NEW


def test_running_the_map_again_leaves_refined_packages_as_they_are(tmp_path):
    path = write(tmp_path, LATER)
    path.write_text(path.read_text().replace("test_days = 5", "test_days = 5\nend = 2021-03-09"))
    run_map(load_map(path), tmp_path / "run")
    refine(tmp_path, parties=("east/calm",))
    before = own_prints(tmp_path / "run")
    run_map(load_map(path), tmp_path / "run")
    assert own_prints(tmp_path / "run") == before


def problems(trouble):
    return {(problem.file, problem.key): problem for problem in trouble.problems}


def test_every_partys_trouble_is_reported_and_the_others_learn(run_town, tmp_path):
    folder = copied(run_town, tmp_path)
    before = own_prints(folder / "run")
    write(
        folder,
        LATER,
        east_back=turning(90, 31, seed=2)[: (RUN_DAYS - 2) * 24],
        west_turned=turning(90, 31, seed=3)[: RUN_DAYS * 24 + 5],
    )
    found, trouble = refine(folder)
    assert set(found) == {"east/calm"}
    reported = problems(trouble)
    backwards = reported["east/back", "end of the records"]
    assert backwards.value == "2021-03-07 00:00 UTC"
    assert "ended at 2021-03-09 00:00 UTC" in backwards.reason
    few = reported["west/turned", "new steps"]
    assert (few.value, few.right) == (5, "update again once 19 more have come")
    assert len(reported) == 2
    after = own_prints(folder / "run")
    assert set(after) - set(before) == {"water.east.calm.000001.checkpoint"}
    assert all(after[name] == was for name, was in before.items())


def test_all_that_does_not_fit_any_more_is_reported_at_once(run_town, tmp_path):
    folder = copied(run_town, tmp_path)
    path = write(folder, LATER, east_calm=flows(90, 1, seed=1))
    text = path.read_text().replace("history = 6", "history = 8").replace("days = 2", "days = 3")
    path.write_text(text)
    city = folder / "east.toml"
    text = city.read_text().replace('unit = "L/s"', 'unit = "m3/h", unit_in = "L/s"')
    city.write_text(text)
    found, trouble = refine(folder)
    reported = problems(trouble)
    assert not found
    assert {key for party, key in reported if party == "east/calm"} == {
        "places",
        "unit",
        "window.history",
        "window.days",
    }
    assert reported["east/calm", "window.history"].value == 8
    assert "trained with 6" in reported["east/calm", "window.history"].reason
    assert reported["east/calm", "places"].value == "1 places: p0"
    assert "2 places: p0, p1" in reported["east/calm", "places"].reason


def test_a_place_that_is_new_is_left_out_and_reported(run_town, refined_town, tmp_path):
    folder = copied(run_town, tmp_path)
    write(folder, LATER, east_calm=np.c_[flows(90, 2, seed=1), 100 * flows(90, 1, seed=7)])
    found, trouble = refine(folder, parties=("east/calm",))
    assert trouble is None
    assert "1 new places are left out" in update_notes(found["east/calm"])[0].en
    before = refined_town[1]["east/calm"]
    assert (found["east/calm"].kept, found["east/calm"].refined) == (before.kept, before.refined)


def test_old_rows_that_are_gone_are_reported(run_town, tmp_path):
    folder = copied(run_town, tmp_path)
    write(folder, LATER)
    records = folder / "east-calm.csv"
    head, *rows = records.read_text().splitlines()
    records.write_text("\n".join([head, *rows[48:]]) + "\n")
    _, trouble = refine(folder, parties=("east/calm",))
    reported = problems(trouble)["east/calm", "first step"]
    assert reported.value == "2021-02-03 00:00 UTC"
    assert "restore the old rows" in reported.right


def test_another_model_is_reported(run_town, tmp_path, monkeypatch):
    folder = copied(run_town, tmp_path)
    write(folder, LATER)
    monkeypatch.setattr("deepcity.runs.update.record_check.MODEL", 3)
    _, trouble = refine(folder, parties=("east/calm",))
    assert "of model 2, this deepcity has model 3" in str(trouble)


def test_a_damaged_and_a_missing_package_are_reported_together(run_town, tmp_path):
    folder = copied(run_town, tmp_path)
    write(folder, LATER)
    sites = folder / "run" / "sites"
    damaged = sites / "east.calm" / "own" / "water.east.calm.000000.checkpoint"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    (sites / "east.back" / "own" / "water.east.back.000000.checkpoint").unlink()
    found, trouble = refine(folder)
    assert set(found) == {"west/turned"}
    reported = problems(trouble)
    assert "is damaged" in reported["east/calm", "forecaster bundle"].reason
    assert "has none for water" in reported["east/back", "forecaster bundle"].reason


def test_new_rows_without_a_measured_value_are_nothing_new(run_town, tmp_path):
    folder = copied(run_town, tmp_path)
    values = flows(90, 2, seed=1)
    values[RUN_DAYS * 24 :] = np.nan
    write(folder, LATER, east_calm=values)
    found, trouble = refine(folder, parties=("east/calm",))
    assert trouble is None
    assert found["east/calm"].outcome is UpdateOutcome.NOTHING_NEW


def test_a_folder_of_no_run_or_another_maps_is_refused(run_town, tmp_path):
    with pytest.raises(
        CheckpointError, match=r"no readable run .* run the map first: deepcity run"
    ):
        refine_map(load_map(run_town / "map.toml"), tmp_path)
    folder = copied(run_town, tmp_path / "copy")
    path = folder / "map.toml"
    path.write_text(path.read_text().replace('name = "little"', 'name = "large"'))
    with pytest.raises(CheckpointError, match="a run of 'little', not of 'large'"):
        refine(folder)


def test_a_run_whose_records_have_grown_names_the_verb(run_town, tmp_path):
    folder = copied(run_town, tmp_path)
    with pytest.raises(CheckpointError, match="`deepcity update`"):
        run_map(load_map(write(folder, LATER)), folder / "run")


def test_a_party_that_is_none_is_refused_with_its_likeness(run_town):
    with pytest.raises(ConfigError, match="east/calm"):
        refine(run_town, parties=("east/clam",))
