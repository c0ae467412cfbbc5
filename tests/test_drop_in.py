"""A service, a domain, a connector and an expert of one file each: found, checked, used by a run.

The files are the examples of CONTRIBUTING.md, in temporary folders that the packages look into.
"""

import application_contract
import connector_contract
import domain_contract
import expert_contract
import numpy as np
import pytest
from contributing_examples import EXAMPLES, drop, fixed_width
from experts_of_a_town import town
from little_map import service, three

from deepcity.applications.application import applications
from deepcity.city.field import Sensitivity
from deepcity.data.connectors import connectors
from deepcity.data.domains import PAPER, domains
from deepcity.learning.experts.expert import experts
from deepcity.maps.city_map import load_map
from deepcity.runs.run import run_map
from deepcity.runs.update.forecaster_bundle import BundleStore
from deepcity.store.run_folder import site_folder

SERVICE, DOMAIN = "applications/bike_stands", "data/domains/health"
CONNECTOR, EXPERT = "data/connectors/fixed_width", "learning/experts/last_value"


def check_service(_folder):
    application_contract.check(applications()["bike-stands"])


def check_domain(_folder):
    assert list(domains())[: len(PAPER)] == list(PAPER)
    domain_contract.check(domains()["health"])


def check_connector(folder):
    nowhere = folder / "nowhere"
    nowhere.mkdir()
    rows = [(f"{day:02d}", day / 4, "" if day % 3 else day) for day in range(9)]
    text = fixed_width([("time", "a", "b"), *rows])
    (folder / "r.fwf").write_text(text, encoding="utf-8")
    connector = connectors()["fixed_width"]
    keys = {"name": "r", "path": "r.fwf", "widths": (18, 18, 18)}
    source = connector.settings.model_validate(keys)
    connector_contract.check(connector, source, folder, nowhere)


def check_expert(_folder):
    data = town()
    fitted = experts()["last_value"].fit(data)
    for check in expert_contract.CHECKS:
        check(fitted, data)


CHECKS = {
    SERVICE: check_service,
    DOMAIN: check_domain,
    CONNECTOR: check_connector,
    EXPERT: check_expert,
}


@pytest.mark.parametrize("example", CHECKS)
def test_one_file_is_found_and_keeps_the_contract(example, tmp_path, monkeypatch):
    drop(example, tmp_path, monkeypatch)
    CHECKS[example](tmp_path)


@pytest.mark.parametrize(
    ("example", "right", "wrong"),
    [
        (SERVICE, "앞으로 몇 시간 동안 대여소마다 자전거가 몇 대 있을까요?", "How many?"),
        (SERVICE, "horizon_hours=6", "horizon_hours=0"),
        (SERVICE, 'reads=("transport",)', 'reads=("trnsport",)'),
        (DOMAIN, "응급 신고, 구급차, 빈 병상 기록이 여기에 속합니다.", "응급 신고"),
        (DOMAIN, "frozenset({Kind.COUNT, Kind.LEVEL, Kind.SHARE})", "frozenset()"),
        (CONNECTOR, ".select(columns), FIRST_ROW)", ".select(columns), 1)"),
        (CONNECTOR, ".select(columns)", ".select(sorted(columns))"),
        (CONNECTOR, "locate(source.path, folder)\n", "pass\n"),
        (EXPERT, "values_TN[origins_B - 1]", "values_TN[origins_B]"),
        (EXPERT, "np.where(np.isfinite(last_BN1), last_BN1,", "np.where(True, last_BN1,"),
    ],
)
def test_a_file_that_breaks_the_contract_is_found_out(example, right, wrong, tmp_path, monkeypatch):
    assert right in EXAMPLES[example]
    drop(example, tmp_path, monkeypatch, EXAMPLES[example].replace(right, wrong))
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        CHECKS[example](tmp_path)


def as_fixed_width(folder, city):
    """A city's CSV files as fixed width, its agencies of the new domain, their field a level."""
    text = (folder / f"{city}.toml").read_text().replace('"csv"', '"fixed_width"')
    for path in folder.glob(f"{city}-*.csv"):
        rows = [line.split(",") for line in path.read_text().splitlines()]
        path.with_suffix(".fwf").write_text(fixed_width(rows), encoding="utf-8")
        path.unlink()
        keys = f'path = "{path.stem}.fwf"\nwidths = {[18] * len(rows[0])}'
        text = text.replace(f'path = "{path.name}"', keys)
    text = text.replace('"resources"', '"health"').replace('kind = "flow"', 'kind = "level"')
    text = text.replace('layout = "wide"\n', "").replace("L/s", "bikes")
    (folder / f"{city}.toml").write_text(text, encoding="utf-8")


def test_a_run_uses_all_four(tmp_path, monkeypatch):
    for example in CHECKS:
        drop(example, tmp_path, monkeypatch)
    named = 'experts = ["network", "typical_day", "last_value"]'
    path = three(tmp_path).write(service(levels=[6], rounds=2, settings=named))
    path.write_text(path.read_text().replace('"water"\nparties', '"bike-stands"\nparties'))
    for city in ("east", "west"):
        as_fixed_width(tmp_path, city)
    city_map = load_map(path)
    members = city_map.services[0].members
    assert {member.agency.domain for member in members} == {"health"}
    assert {one.sensitivity for m in members for one in m.agency.fields} == {Sensitivity.PERSONAL}
    (result,) = run_map(city_map, tmp_path / "run").services
    for party in result.parties:
        folder = site_folder(tmp_path / "run", party.name)
        kept = BundleStore.of(folder).load("water", party.name).experts
        assert [one.kind for one in kept][:3] == ["network", "typical_day", "last_value"]
        assert np.isfinite(party.test["automatic"].mae)
        assert {action.code for action in party.decision.actions} == {"bring-bikes"}
    (noted,) = [note for note in result.notes if note.code == "domain_not_read"]
    assert noted.names["reads"] == "transport"


def test_nothing_of_it_stays(tmp_path, monkeypatch):
    before = names()
    with monkeypatch.context() as patch:
        for example in CHECKS:
            drop(example, tmp_path, patch)
        assert names() - before == {"bike-stands", "health", "fixed_width", "last_value"}
    assert names() == before


def names():
    """What a city or map file can name."""
    return {*applications(), *domains(), *connectors(), *experts()}
