"""Sites apart from the coordinator in whole runs: what it reaches, what lies where, and moves."""

import json
import shutil

import numpy as np
import pytest
from little_map import service, three
from reach import frames, reachable
from typer.testing import CliRunner

from deepcity.city.errors import CheckpointError
from deepcity.city.progress import NoProgress
from deepcity.cli import app
from deepcity.data.panel import Panel
from deepcity.exchange.coordinator import Coordinator
from deepcity.learning.features.inputs import Inputs, Samples
from deepcity.learning.networks.network import Network
from deepcity.learning.training.learner import Learner, PartyData
from deepcity.maps.city_map import load_map
from deepcity.parties.party import Party
from deepcity.runs import run as running
from deepcity.runs import simulate
from deepcity.runs import trainings as methods
from deepcity.runs.results import RunResults, SiteResults
from deepcity.runs.run import run_map
from deepcity.runs.site import Site
from deepcity.runs.update.request import UpdateRequest
from deepcity.runs.update.results import UpdateOutcome
from deepcity.runs.update.run import refine_map
from deepcity.store.blob import unseal
from deepcity.store.run_folder import record_map, site_folder
from deepcity.web.report.page import render

OWN = (Site, Party, Panel, Inputs, Samples, PartyData, Learner, Network)
NEWCOMER = {
    "settings": 'newcomers = ["west/office"]\npooled = false',
    "span": 'scarce = { "west/office" = 10 }',
}
KEPT = "does not share its measured values, so only its forecast is drawn here"


class Walked(NoProgress):
    """Walks what the coordinator's thread can reach after each round."""

    def __init__(self):
        self.own, self.arrays, self.tasks = set(), {}, set()

    def advance(self, task, done):
        if not any(frame.f_code is Coordinator.train.__code__ for frame in frames()):
            return  # told by the simulation itself
        self.tasks.add(task)
        for one in reachable(*frames()):
            if isinstance(one, OWN):
                self.own.add(type(one).__name__)
            if isinstance(one, np.ndarray):
                self.arrays[id(one)] = one


def walked(folder, monkeypatch, **how):
    """A run that was walked, its coordinators after it, and every site."""
    sites, coordinators, watch = [], [], Walked()

    class KnownSite(Site):
        def __init__(self, *given, **named):
            super().__init__(*given, **named)
            sites.append(self)

    class KnownCoordinator(Coordinator):
        def __init__(self, *given, **named):
            super().__init__(*given, **named)
            coordinators.append(self)

    for module in (running, simulate):
        monkeypatch.setattr(module, "Site", KnownSite)
    monkeypatch.setattr(methods, "Coordinator", KnownCoordinator)
    path = three(folder).write(service(levels=(2,), rounds=2, **{**NEWCOMER, **how}))
    run_map(load_map(path), folder / "run", watch)
    return watch, coordinators, sites


def secrets(site, *, stem):
    """Arrays that nobody else may hold: rows, scaling, targets, and a private stem."""
    party, data = site.party, site.party.data
    yield from (party.panel.values_TNF, party.inputs.values_TN, data.train.scale_N1)
    yield from (data.train.features_BNF, data.train.truth_BNH, data.validation.truth_BNH)
    yield party.test.truth_BNH
    if stem:
        for one in site.learners.values():
            yield from one.export(["stem"])["stem"].values()


@pytest.mark.parametrize("stem", ["private", "common"])
def test_the_coordinator_reaches_nothing_of_a_site(tmp_path, monkeypatch, stem):
    watch, coordinators, sites = walked(tmp_path, monkeypatch, grant=f'stem = "{stem}"')
    assert {task.partition(": ")[2] for task in watch.tasks} >= {"alone", "level_2", "level_6"}
    assert watch.own == set()
    assert len({site.name for site in sites}) == 3  # in episodes, on fewer days, once more
    assert len(coordinators) > 3
    after = list(reachable(*coordinators))
    assert not {type(one).__name__ for one in after if isinstance(one, OWN)}
    arrays = [*watch.arrays.values(), *(one for one in after if isinstance(one, np.ndarray))]
    assert arrays  # layers that were sent are its own
    shapes = {one.shape for one in arrays}
    for site in sites:
        for secret in secrets(site, stem=stem == "private"):
            if secret.shape in shapes and secret.size > 1:
                held = [one for one in arrays if one.shape == secret.shape]
                assert not any(np.array_equal(one, secret) for one in held)


def tensors_in(folder):
    """The names of all groups of arrays in the checkpoints and packages of a folder."""
    found = set()
    for path in folder.rglob("*.checkpoint"):
        arrays, _ = unseal(path.read_bytes())
        found |= {f"{group}/{name}" for group, tensors in arrays.items() for name in tensors}
    return found


@pytest.mark.parametrize("stem", ["private", "common"])
def test_nothing_of_the_coordinators_on_disk_holds_a_private_stem(tmp_path, stem):
    grant = f'stem = "{stem}"\nparty = {{ "east/south" = {{ stem = "private" }} }}'
    path = three(tmp_path).write(service(levels=(), rounds=2, grant=grant))
    run_map(load_map(path), tmp_path / "run")
    held = tensors_in(tmp_path / "run" / "coordinator")
    assert any("h1" in name for name in held)
    stems = {name for name in held if "stem" in name}
    assert bool(stems) == (stem == "common")
    assert not any("south" in name for name in stems)  # nor is one sent to who keeps its own
    own = tensors_in(tmp_path / "run" / "sites" / "east.south")
    assert any("stem" in name for name in own)  # the names would show it
    for path in (tmp_path / "run" / "coordinator").rglob("*.layers"):
        assert stem == "common" or b"stem" not in path.read_bytes()


def test_a_sites_folder_alone_goes_on_learning_elsewhere(tmp_path):
    """Carried to another machine, the rest deleted: new rows come, and it learns from them."""
    little = three(tmp_path)
    whole = dict(little.parties)
    for name, values in whole.items():
        little.party(name, values[: 30 * 24])
    path = little.write(service(levels=(), rounds=2, settings="pooled = false"))
    run_map(load_map(path), tmp_path / "run")
    there = tmp_path / "there"
    shutil.copytree(site_folder(tmp_path / "run", "east/north"), site_folder(there, "east/north"))
    shutil.rmtree(tmp_path / "run")
    for name, values in whole.items():
        little.party(name, values)
    little.write(service(levels=(), rounds=2, settings="pooled = false"))
    asked = UpdateRequest(parties=("east/north",))
    found, trouble = refine_map(load_map(path), there, asked=asked)
    assert trouble is None
    (only,) = found.parties
    assert only.outcome in (UpdateOutcome.REFINED, UpdateOutcome.KEPT)
    own = site_folder(there, "east/north") / "own"
    assert (own / "water.east.north.000001.checkpoint").exists()
    with pytest.raises(CheckpointError, match="no readable run"):
        refine_map(load_map(path), tmp_path / "nowhere")


def test_a_sites_folder_alone_forecasts_and_learns_without_records_of_others(tmp_path):
    """As on its own machine in a federation: others' records and forecasters are elsewhere."""
    little = three(tmp_path)
    path = little.write(service(levels=(), rounds=1, settings="pooled = false"))
    run_map(load_map(path), tmp_path / "run")
    there = tmp_path / "there"
    shutil.copytree(site_folder(tmp_path / "run", "east/north"), site_folder(there, "east/north"))
    record_map(there, path)
    for absent in ("east-south.csv", "west-office.csv"):
        (tmp_path / absent).unlink()
    found = CliRunner().invoke(app, ["forecast", str(there)])
    assert found.exit_code == 0, found.output
    assert "east/north" in found.stdout
    assert "south" not in found.output
    updated = CliRunner().invoke(app, ["update", str(path), "--out", str(there), "--json"])
    assert updated.exit_code == 0, updated.output
    found = json.loads(updated.stdout)
    assert [one["party"] for one in found["parties"]] == ["east/north"]
    assert found["problems"] == []


def test_measured_values_leave_only_the_sites_that_grant_it(tmp_path):
    grant = 'party = { "east/south" = { truths = "shared" } }'
    path = three(tmp_path).write(service(levels=(), rounds=1, grant=grant))
    folder = tmp_path / "run"
    results = run_map(load_map(path), folder)
    read = RunResults.model_validate_json((folder / "results.json").read_bytes())
    shown = {party.name: party.forecast.truth for party in read.services[0].parties}
    assert shown["east/north"] is shown["west/office"] is None
    assert len(shown["east/south"]) == len(results.services[0].parties[1].forecast.times)
    north = json.loads((folder / "sites" / "east.north" / "result.json").read_text())
    own = SiteResults.model_validate(north).services["water"]
    text = (folder / "results.json").read_text()
    assert all(f"{value}" not in text for value in own.forecast.truth)
    assert own.without_truths() == read.services[0].parties[0]
    page = render(results)
    assert page.count(KEPT) == 2
    assert "실측값은 공유하지 않아" in page


def test_what_is_shown_may_change_when_all_is_learned(tmp_path):
    path = three(tmp_path).write(service(levels=(), rounds=1))
    first = run_map(load_map(path), tmp_path / "run")
    path.write_text(
        path.read_text().replace("[service.grant]", '[service.grant]\ntruths = "shared"')
    )
    again = run_map(load_map(path), tmp_path / "run")
    for one, other in zip(first.services[0].parties, again.services[0].parties, strict=True):
        assert one.forecast.truth is None
        assert other.without_truths() == one
        assert other.forecast.truth


def test_a_run_of_an_earlier_version_is_not_mixed_with_this_one(tmp_path):
    path = three(tmp_path).write(service(levels=(), rounds=1))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text(json.dumps({"map": "little"}))
    with pytest.raises(CheckpointError, match="another version of deepcity"):
        run_map(load_map(path), tmp_path / "run")
    run_map(load_map(path), tmp_path / "run", fresh=True)
    assert not (tmp_path / "run" / "run.json").exists()
