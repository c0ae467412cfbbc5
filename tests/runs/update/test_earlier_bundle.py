"""A replay of the days that a run was tested on learns from those before its own time."""

from dataclasses import replace

import pytest
from update_town import RUN_DAYS, copied, package, refine, write

from deepcity.maps.city_map import load_map
from deepcity.runs.run import run_map
from deepcity.runs.update.earlier_bundle import with_earlier_times, with_earlier_weights
from deepcity.runs.update.record_check import load_records
from deepcity.runs.update.results import UpdateOutcome


@pytest.fixture(scope="module")
def run_town(tmp_path_factory):
    folder = tmp_path_factory.mktemp("town")
    run_map(load_map(write(folder)), folder / "run")
    return folder


def test_a_replay_of_the_test_days_learns_from_those_before_its_time(run_town, tmp_path):
    folder = copied(run_town, tmp_path)
    bundle = package(folder, "east/calm")
    write(folder, RUN_DAYS - 3)
    found, trouble = refine(folder)
    assert found == {}
    assert "rows are missing" in str(trouble)
    found, trouble = refine(folder, replayed=True)
    assert trouble is None
    assert {one.outcome for one in found.values()} <= {UpdateOutcome.REFINED, UpdateOutcome.KEPT}
    changed = package(folder, "east/calm")
    assert changed.times.seen_to == bundle.times.seen_to - 3 * 86_400
    assert changed.number == 1
    again, trouble = refine(folder, replayed=True)
    assert trouble is None
    assert {one.outcome for one in again.values()} == {UpdateOutcome.NOTHING_NEW}


def test_weights_before_the_test_days_know_nothing_of_them(run_town, tmp_path):
    folder = copied(run_town, tmp_path)
    write(folder, RUN_DAYS + 10)
    refine(folder)
    (service,) = load_map(folder / "map.toml").services
    member = next(one for one in service.members if one.name == "east/calm")
    bundle, later = package(run_town, "east/calm"), package(folder, "east/calm")
    earlier = with_earlier_times(bundle)
    panel = load_records(service, member, earlier).panel
    ours, same = (
        with_earlier_weights(one, panel, None).ensemble
        for one in (earlier, replace(earlier, ensemble=later.ensemble))
    )
    assert str(ours) == str(same)
    assert str(ours) != str(bundle.ensemble)
    assert all(one.start < bundle.times.learned_to for one in earlier.days)
