"""Experts that a map names: found in their folder, weighed in a run, kept and brought back."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from little_map import EXPERTS, service, three
from update_town import RUN_DAYS, town

import deepcity.learning.experts as folder_of_experts
from deepcity.city.errors import ConfigError, DataError, ExpertError
from deepcity.learning.experts.expert import experts
from deepcity.maps.city_map import load_map
from deepcity.parties.own_experts import MAX_PRIOR, own_experts
from deepcity.parties.party import parties_of
from deepcity.runs.run import run_map
from deepcity.runs.update.forecaster_bundle import BundleStore
from deepcity.runs.update.party import build_refine_data
from deepcity.runs.update.record_check import load_records
from deepcity.runs.update.refinable_experts import experts_of
from deepcity.runs.update.request import UpdateRequest
from deepcity.runs.update.results import UpdateOutcome
from deepcity.runs.update.run import refine_map
from deepcity.store.run_folder import site_folder

NEW = '''
"""A half of yesterday and a half of last week: a new expert in one file."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from deepcity.learning.experts.expert import Expert, part


@dataclass(frozen=True)
class Halves(Expert):
    share_1: np.ndarray
    kind: ClassVar[str] = "halves"

    @classmethod
    def fit(cls, data):
        return cls(np.array([0.5]))

    def predict(self, samples, origins_B):
        recent = samples.linear_BNHS[..., -2:].mean(axis=-1)
        return (samples.baseline_BNH + self.share_1[0] * samples.scale_N1 * recent).astype("f4")

    def to_arrays(self):
        return {"share_1": self.share_1}

    @classmethod
    def from_arrays(cls, arrays, data):
        return cls(part(cls, arrays, "share_1", np.float64, (1,)))


EXPERT = Halves
'''
LIGHT = {"levels": (), "rounds": 2}
NAMED = '["network", "typical_day", "halves", "ridge"]'


def named(kinds, more=""):
    return service(settings=f"pooled = false\nexperts = {kinds}\n{more}", **LIGHT)


@pytest.fixture
def dropped(tmp_path, monkeypatch):
    """A folder with one more expert, as if it stood beside the others."""
    place = tmp_path / "more"
    place.mkdir()
    (place / "halves.py").write_text(NEW, encoding="utf-8")
    monkeypatch.setattr(folder_of_experts, "__path__", [*folder_of_experts.__path__, str(place)])
    yield place
    sys.modules.pop("deepcity.learning.experts.halves", None)
    if hasattr(folder_of_experts, "halves"):
        del folder_of_experts.halves


def test_a_file_in_the_folder_is_an_expert_that_a_run_uses(dropped, tmp_path):
    assert "halves" in experts()
    path = three(tmp_path).write(named(NAMED))
    city_map = load_map(path)
    (result,) = run_map(city_map, tmp_path / "run").services
    (only,) = city_map.services
    for member, party in zip(only.members, result.parties, strict=True):
        package = BundleStore.of(site_folder(tmp_path / "run", member.name)).load(
            "water", member.name
        )
        kinds = [one.kind for one in package.experts]
        assert kinds[:4] == ["network", "typical_day", "halves", "ridge"]
        assert set(kinds[4:]) == {"network"}
        assert [one.level for one in package.experts] == [0, 0, 0, 0, 1, 2, 3, 4, 5, 6]
        data = build_refine_data(only, load_records(only, member, package), 1)
        again = experts_of(package.experts, data)
        np.testing.assert_array_equal(again[2].expert.share_1, [0.5])
        assert np.isfinite(party.test["automatic"].mae)


def test_a_package_with_an_expert_that_is_gone_is_refused_by_name(dropped, tmp_path):
    path = three(tmp_path).write(named(NAMED))
    city_map = load_map(path)
    run_map(city_map, tmp_path / "run")
    (only,) = city_map.services
    member = only.members[0]
    package = BundleStore.of(site_folder(tmp_path / "run", member.name)).load("water", member.name)
    data = build_refine_data(only, load_records(only, member, package), 1)
    (dropped / "halves.py").unlink()
    with pytest.raises(ExpertError, match=r"unknown expert 'halves'; known: .*network"):
        experts_of(package.experts, data)


def test_an_unknown_expert_is_refused_with_what_may_be_meant(tmp_path):
    path = three(tmp_path).write(named('["network", "gausian_days"]'))
    with pytest.raises(ConfigError, match=r"unknown kind of expert.*gaussian_days"):
        load_map(path)


def test_a_service_without_its_network_is_refused(tmp_path):
    path = three(tmp_path).write(named('["typical_day"]'))
    with pytest.raises(ConfigError, match='Add "network"'):
        load_map(path)


def test_an_expert_that_is_not_installed_says_how_to_get_it(tmp_path, monkeypatch):
    kind = experts()["trees"]
    monkeypatch.setattr(kind, "extra", ("trees", "no_such_module"))
    path = three(tmp_path).write(named('["network", "trees"]'))
    with pytest.raises(ConfigError, match=r"pip install 'deepcity\[trees\]'"):
        load_map(path)


def test_alone_is_what_a_partys_own_models_say_together(tmp_path):
    """Errors of learning alone are those of the ensemble, so that joining is not overrated."""
    few, more = (three(tmp_path / name) for name in ("few", "more"))
    for little in (few, more):
        little.folder.mkdir()
    plain = run_map(load_map(few.write(named('["network"]'))), tmp_path / "few" / "run")
    with_ridge = run_map(
        load_map(more.write(named('["network", "ridge"]'))), tmp_path / "more" / "run"
    )
    for before, after in zip(
        plain.services[0].parties, with_ridge.services[0].parties, strict=True
    ):
        network, ridge = before.test["alone"].mae, before.test["ridge"].mae
        assert after.test["ridge"].mae == ridge
        assert after.test["alone"].mae != network
        assert after.test["alone"].mae < max(network, ridge)
        assert after.validation_mae["0"] != before.validation_mae["0"]


def test_many_experts_leave_the_network_two_fifths_of_what_is_a_partys_own(tmp_path):
    path = three(tmp_path).write(named('["network", "typical_day", "yesterday", "ridge"]'))
    (only,) = load_map(path).services
    party = replace(parties_of(only)[0], experts=("network", *["ridge"] * 9))
    priors = [prior for _, prior in own_experts(party, only.settings.training, 0)]
    assert len(priors) == 9
    assert sum(priors) == pytest.approx(MAX_PRIOR)


def test_a_map_that_names_no_experts_has_those_that_pay(tmp_path):
    """Days as a process begin with 28 training days; the little map has 26."""
    path = three(tmp_path).write(service(**LIGHT).replace(EXPERTS, ""))
    assert "experts" not in path.read_text()
    (only,) = load_map(path).services
    for days, kinds in ((5, ["trees"]), (3, ["trees", "gaussian_days"])):
        span = only.settings.span.model_copy(update={"validation_days": days})
        settings = only.settings.model_copy(update={"span": span})
        party = parties_of(replace(only, settings=settings))[0]
        own = own_experts(party, settings.training, 0)
        assert [expert.kind for expert, _ in own] == ["typical_day", *kinds]
        assert [prior for _, prior in own] == pytest.approx([0.1] * len(own))


def test_a_weather_agency_that_is_not_there_is_refused(tmp_path):
    path = three(tmp_path).write(named('["network"]', 'weather = "nort"'))
    with pytest.raises(DataError, match=r"nort.*not an agency of this city.*north"):
        parties_of(load_map(path).services[0])


def test_an_agency_without_temperature_is_no_weather(tmp_path):
    path = three(tmp_path).write(named('["network"]', 'weather = "office"'))
    path.write_text(path.read_text().replace('parties = ["*/*"]', 'parties = ["west/office"]'))
    with pytest.raises(DataError, match="no field temperature, rain"):
        parties_of(load_map(path).services[0])


def test_trees_go_on_learning_when_rows_have_come(tmp_path):
    pytest.importorskip("lightgbm")
    path = town(tmp_path).write(named('["network", "trees"]'))
    run_map(load_map(path), tmp_path / "run")
    town(tmp_path, days=RUN_DAYS + 10).write(named('["network", "trees"]'))
    found, trouble = refine_map(
        load_map(path), tmp_path / "run", asked=UpdateRequest(max_forgetting=0.5)
    )
    assert trouble is None
    for party in found.parties:
        assert party.outcome in (UpdateOutcome.REFINED, UpdateOutcome.KEPT)
        assert party.forgetting <= 0.5 + 1e-6
        newest = BundleStore.of(site_folder(tmp_path / "run", party.party)).load(
            "water", party.party
        )
        trees = [one for one in newest.experts if one.kind == "trees"]
        assert len(trees) == 1
        assert trees[0].known > 0
    assert any(party.outcome is UpdateOutcome.REFINED for party in found.parties)
