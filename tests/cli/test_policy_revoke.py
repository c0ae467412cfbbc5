"""`deepcity policy revoke`: what it stops, what has left, the command that trains without it."""

import re
import shlex

import pytest
from audited_site import granting
from little_map import service
from policy_town import policy_town
from typer.testing import CliRunner

from deepcity.city.errors import ConfigError, LedgerError
from deepcity.cli import app
from deepcity.maps.city_map import load_map
from deepcity.runs.run import load_results, run_map


def invoke(*words):
    found = CliRunner().invoke(app, [*map(str, words)], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.output


def revoke(*words):
    return invoke("policy", "revoke", *words)


def test_a_revoked_grant_denies_and_is_revoked_once(tmp_path):
    path = policy_town(tmp_path)
    assert "no layer leaves by it from the next answer on" in revoke(path, "water-layers")
    written = (tmp_path / "policy.revoked.toml").read_bytes()
    assert "water-layers: revoked on" in invoke("policy", "grants", path)
    assert "already; nothing changes" in revoke(path, "water-layers")
    assert (tmp_path / "policy.revoked.toml").read_bytes() == written
    assert "곧바로 읽을 수 없습니다" in revoke(path, "water-deep", "--language", "ko")
    assert "0 grants in force, 0 ended, 2 revoked" in invoke("policy", "check", path)


def test_what_people_wrote_into_the_file_stays(tmp_path):
    path, file = policy_town(tmp_path), tmp_path / "policy.revoked.toml"
    by_hand = '# asked for by the mayor\n[[revoked]]\ngrant = "water-deep"\nat = 1'
    file.write_text(by_hand)
    revoke(path, "water-layers")
    assert file.read_text().startswith(by_hand)
    assert "2 revoked" in invoke("policy", "check", path)


def test_an_unknown_grant_is_refused_with_those_that_are_there(tmp_path):
    path = policy_town(tmp_path)
    with pytest.raises(ConfigError, match=r"'water-layer'.*no such grant.*water-layers"):
        revoke(path, "water-layer")
    assert not (tmp_path / "policy.revoked.toml").exists()


def test_what_has_left_is_listed_and_the_command_trains_without_it(tmp_path):
    text = service(levels=(2,), rounds=1, settings="automatic = false", grant="level = 2")
    map_file = granting(tmp_path, cities=("east", "west"), text=text)
    folder = tmp_path / "run"
    run_map(load_map(map_file), folder)
    city = map_file.parent / "east.toml"
    said = revoke(city, "north-layers", "--run", folder)
    assert re.search(r"east/north, h1: \d+ times, [\d,]+ bytes, to coordinator for water", said)
    assert "east/south" not in said
    command = shlex.split(said.strip().splitlines()[-1].partition("without it: ")[2])
    assert command[0] == "deepcity"
    invoke(*command[1:])
    left = "east/north, h1: {} times"
    (times,) = re.findall(left.format(r"(\d+)"), said)
    assert left.format(times) in revoke(city, "north-layers", "--run", folder)  # none came to them
    assert {one.name for one in load_results(folder).services[0].parties} >= {"east/north"}
    other = revoke(city, "south-layers", "--run", folder)
    assert f"east/south, h1: {2 * int(times)} times" in other
    with pytest.raises(LedgerError, match="no such file or folder"):
        revoke(city, "south-layers", "--run", tmp_path / "nowhere")
