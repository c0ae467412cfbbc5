import json
from datetime import UTC, datetime

import numpy as np
import pytest
from typer.testing import CliRunner

from deepcity.city.field import Kind
from deepcity.cli.packages.layers import app
from deepcity.store.packages.layer_package import save_package
from deepcity.store.packages.manifest import Facts


def save(folder, name, city="Ferrara"):
    facts = Facts(
        name=name,
        city=city,
        service="water",
        field_kinds=(Kind.FLOW,),
        step_seconds=3600,
        history_steps=24,
        horizon_steps=24,
        trained_from=datetime(2021, 1, 1, tzinfo=UTC),
        trained_to=datetime(2022, 1, 1, tzinfo=UTC),
        metrics={"mae": 1.25},
    )
    layers = {"h1": {"w": np.ones((40, 30), np.float32)}, "h2": {"b": np.ones(7, np.float32)}}
    return save_package(folder, facts, layers).path


@pytest.fixture
def packages(tmp_path):
    """A whole package and a damaged one."""
    whole, damaged = save(tmp_path, "a"), save(tmp_path, "b")
    damaged.write_bytes(damaged.read_bytes()[:-1])
    return whole, damaged


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "200"})


def test_list_shows_all_and_tells_of_the_damaged(packages):
    whole, damaged = packages
    result = run("list", whole.parent)
    assert result.exit_code == 1
    for shown in (whole.name, damaged.name, "Ferrara", "water", "h1 h2", "1,207", "2021-01-01"):
        assert shown in result.stdout
    assert "is refused" in result.stderr


def test_list_for_scripts(packages):
    result = run("list", packages[0].parent, "--json")
    assert result.exit_code == 1
    whole, damaged = json.loads(result.stdout)
    assert whole["manifest"]["service"] == "water"
    assert (whole["whole"], damaged["whole"]) == (True, False)
    assert "cannot be read" in damaged["reason"]


def test_list_of_nothing_says_so(tmp_path):
    result = run("list", tmp_path)
    assert result.exit_code == 1
    assert f"{tmp_path}: this folder is empty, not the folder of a run" in str(result.exception)
    assert json.loads(run("list", tmp_path, "--json").stdout) == []
    assert run("list", tmp_path / "absent").exit_code == 1


def test_show_tells_every_fact_and_tensor(packages):
    result = run("show", packages[0])
    assert result.exit_code == 0
    for shown in ("Ferrara", "3600", "mae", "sha256", "40 x 30", "float32"):
        assert shown in result.stdout
    assert json.loads(run("show", packages[0], "--json").stdout)["manifest"]["city"] == "Ferrara"


def test_show_refuses(packages):
    assert run("show", packages[1]).exit_code == 1
    assert json.loads(run("show", packages[1], "--json").stdout)["whole"] is False


def test_verify_by_exit_code(packages):
    whole, damaged = packages
    assert run("verify", whole).exit_code == 0
    both = run("verify", whole, damaged)
    assert both.exit_code == 1
    assert f"{whole}: whole" in both.stdout
    assert f"{damaged} is refused" in both.stderr
    assert [one["whole"] for one in json.loads(run("verify", *packages, "--json").stdout)] == [
        True,
        False,
    ]


def test_words_of_a_package_are_shown_and_not_obeyed(tmp_path):
    path = save(tmp_path, "a", city="[/][red]X")
    for result in (run("list", tmp_path), run("show", path)):
        assert result.exit_code == 0
        assert "[/][red]X" in result.stdout


@pytest.mark.parametrize("verb", ["list", "show", "verify"])
def test_help_teaches_with_an_example(verb):
    assert f"Example: deepcity layers {verb}" in run(verb, "--help").stdout
