"""A map with a single party: it learns alone, nothing is trained to be shared, and it is said."""

from little_map import LittleMap, flows, service
from processes import deepcity

from deepcity.runs.run import load_results
from deepcity.web.report.page import render


def test_it_trains_no_level_sends_nothing_and_says_so(tmp_path):
    path = LittleMap(tmp_path).party("a/x", flows()).write(service(levels=(2, 6)))
    ended = deepcity("run", path, "--out", tmp_path / "run")
    assert ended.returncode == 0, ended.stderr
    assert "a/x is the only party" in ended.stdout
    results = load_results(tmp_path / "run")
    (only,) = results.services
    assert only.traffic == []
    (party,) = only.parties
    assert not [method for method in party.test if method.startswith("level_")]
    assert set(party.weights) == {"alone"}
    assert party.level == 0
    assert not [*(tmp_path / "run").glob("coordinator/layers/*")]
    page = render(results)
    assert "is the only party" in page
    assert "하나만 참여합니다" in page
    forecast = deepcity("forecast", tmp_path / "run")
    assert forecast.returncode == 0
    assert forecast.stdout.count("a/x") == 2 * 6


def test_two_parties_still_train_levels(tmp_path):
    town = LittleMap(tmp_path).party("a/x", flows(places=1)).party("a/y", flows(places=1, seed=1))
    ended = deepcity("run", town.write(service(levels=(2,), rounds=1)), "--out", tmp_path / "run")
    assert "only party" not in ended.stdout
    party = load_results(tmp_path / "run").services[0].parties[0]
    assert "level_2" in party.test
