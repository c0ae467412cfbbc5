"""A map with differential privacy: what leaves is paid for, recorded and bounded."""

import json
from collections import Counter

import pytest
from audited_site import granting
from little_map import service

from deepcity.city.errors import CheckpointError
from deepcity.maps.city_map import load_map
from deepcity.parties.party import load_party
from deepcity.parties.releases.layer_release import layer_release
from deepcity.runs.identity import check_identity
from deepcity.runs.releases.outflow import site_outflow
from deepcity.runs.run import run_map
from deepcity.runs.site import Site
from deepcity.store.checkpoint import CheckpointStore

TRAINING = "water.level_2"
PRIVACY = "[service.privacy]\nepsilon = {epsilon}\ndelta = 1e-4\nsampling = 0.3\nwindows = 2\n"


def text(epsilon=8.0, name="water", more="", **how):
    how = {"levels": (), "rounds": 2, "local_steps": 2, "grant": "level = 2", **how}
    return service(
        name, settings="pooled = false", more=PRIVACY.format(epsilon=epsilon) + more, **how
    )


def spending(folder, site="east.north"):
    return json.loads((folder / "sites" / site / "privacy.json").read_text())


def network_entries(folder, site="east.north"):
    lines = (folder / "sites" / site / "releases.jsonl").read_text().splitlines()
    found = [json.loads(line).get("release") for line in lines]
    return [one for one in found if one and one["layer"] in {"h1", "h2", "head", "stem"}]


def test_what_leaves_is_paid_for_recorded_and_granted_until_all_is_spent(tmp_path):
    path = granting(tmp_path, "epsilon = 8.0", text=text())
    folder = tmp_path / "run"
    run_map(load_map(path), folder)
    found = spending(folder)
    assert found["unit"] == "sensor-day"
    assert Counter(one["training"] for one in found["charges"]) == {"": 1, "water.level_2": 2}
    entries = network_entries(folder)
    assert {one["layer"] for one in entries} == {"h1", "h2"}
    assert entries[-1]["policy_grants"] == ["north-layers"]
    spent = [float(one["epsilon"]) for one in entries if one["layer"] == "h1"]
    assert spent == sorted(spent)
    assert 7.0 < spent[-1] <= 8.0
    assert site_outflow(folder / "sites" / "east.north").problem == ""  # entries are read

    path.write_text(path.read_text().replace("seed = 1", "seed = 2"))
    run_map(load_map(path), folder, fresh=True)  # other layers of the same records
    assert spending(folder) == found
    assert len(network_entries(folder)) == len(entries)
    reasons = json.dumps(CheckpointStore(folder / "coordinator").load_latest(TRAINING).values)
    assert "east/north sends nothing more: epsilon" in reasons


def test_a_grant_with_less_epsilon_is_told_beforehand(tmp_path):
    path = granting(tmp_path, "epsilon = 3.0", text=text())
    service = load_map(path).services[0]
    member = next(one for one in service.members if one.name == "east/north")
    party, release = load_party(service, member), layer_release(service, member, None)
    assert Site(service.settings, party, 1, release=release).limit.level == 0


def test_a_limit_may_be_raised_for_a_run_that_it_stopped_and_nothing_else_changed(tmp_path):
    path, folder = granting(tmp_path, text=text()), tmp_path / "run"
    check_identity(folder, load_map(path))
    settings = path.read_text()
    path.write_text(settings.replace("epsilon = 8.0", "epsilon = 8.0\nlimit = 20.0"))
    check_identity(folder, load_map(path))
    path.write_text(settings.replace("epsilon = 8.0", "epsilon = 7.0"))
    with pytest.raises(CheckpointError, match=r"privacy\.epsilon"):
        check_identity(folder, load_map(path))
