"""`deepcity federation` before anything is started; tests/exchange/test_flare.py starts it."""

import json
import os
import socket
from importlib.util import find_spec

import pytest
from little_map import LittleMap, flows
from typer.testing import CliRunner

from deepcity.city.errors import CheckpointError, ConfigError, ExchangeError
from deepcity.cli import app
from deepcity.exchange.flare import kits, need, processes
from deepcity.runs.machines.status import coordinator_status, local_kits, set_map

with_engine = pytest.mark.skipif(
    find_spec("nvflare") is None, reason="nvflare is not installed: deepcity[flare]"
)


def run(*words):
    return CliRunner().invoke(app, ["federation", *map(str, words)])


@pytest.fixture
def map_file(tmp_path):
    """Of three cities; no records are here, as at a hub."""
    folder = tmp_path / "map"
    folder.mkdir()
    little = LittleMap(folder)
    for city in ("north", "centre", "south"):
        little.party(f"{city}/water", flows(days=1))
    path = little.write()
    for records in folder.glob("*.csv"):
        records.unlink()
    return path


def test_help_teaches_five_commands():
    text = run("--help").output
    for command in ("new fed --map", "add-site fed", "start fed", "status fed", "stop fed"):
        assert f"deepcity federation {command}" in " ".join(text.split())
    assert "deepcity[flare]" in text


def test_without_the_engine_the_extra_is_named(monkeypatch, tmp_path, map_file):
    monkeypatch.setattr(need, "find_spec", lambda _name: None)
    result = run("new", tmp_path / "fed", "--map", map_file)
    assert isinstance(result.exception, ExchangeError)
    assert "pip install 'deepcity[flare]'" in str(result.exception)
    assert not (tmp_path / "fed").exists()


@pytest.mark.parametrize("command", ["status", "start", "stop"])
def test_folder_that_is_no_federation(monkeypatch, tmp_path, command):
    monkeypatch.setattr(need, "find_spec", lambda _name: True)
    result = run(command, tmp_path)
    assert isinstance(result.exception, CheckpointError)
    assert "deepcity federation new" in str(result.exception)


@pytest.mark.parametrize("command", ["new", "add-site", "revoke", "start", "status", "stop"])
def test_help_of_each_command_has_an_example(command):
    text = " ".join(run(command, "--help").output.split())
    assert f"deepcity federation {command} " in text.partition("Example")[2]


def test_map_that_cannot_be_run_makes_no_federation(tmp_path, map_file):
    map_file.write_text(map_file.read_text().replace("rounds = 3", "rounds = 0"))
    result = run("new", tmp_path / "fed", "--map", map_file)
    assert isinstance(result.exception, ConfigError)
    assert "rounds" in str(result.exception)
    assert not (tmp_path / "fed").exists()


def test_site_that_the_map_does_not_know_is_not_added(tmp_path, map_file):
    settings = {"name": "tests", "map": str(map_file)}
    (tmp_path / kits.FEDERATION).write_text(json.dumps(settings))
    result = run("add-site", tmp_path, "noth")
    assert isinstance(result.exception, ExchangeError)
    assert "did you mean 'north'? Known are centre, north, south, centre_water" in str(
        result.exception
    )


def test_map_file_that_is_missing(tmp_path):
    assert run("new", tmp_path / "fed", "--map", tmp_path / "none.toml").exit_code == 2


@pytest.mark.parametrize("name", ["with space", "it's", "a;b", "$(x)"])
def test_folders_that_the_engine_cannot_start_from(tmp_path, name):
    with pytest.raises(ExchangeError, match="cannot start"):
        processes.check_path(tmp_path / name)


def test_process_that_got_the_keepers_number_is_left_alone(tmp_path):
    (tmp_path / processes.PID).write_text(str(os.getppid()))
    assert processes.running(tmp_path) is None
    assert processes.stop(tmp_path) is False


def test_settings_with_every_problem():
    with pytest.raises(ConfigError) as found:
        kits.federation_of({"name": "a b", "port": 80, "lease_rounds": 0})
    assert len(found.value.problems) == 3


def test_damaged_settings_are_named(tmp_path):
    (tmp_path / kits.FEDERATION).write_text('{"name": "x", "sites": 5}')
    with pytest.raises(CheckpointError, match="sites"):
        kits.read_federation(tmp_path)
    assert coordinator_status(tmp_path) == "coordinator: no round yet"


@with_engine
def test_kits_hold_no_other_class_and_no_right_to_bring_code(tmp_path, map_file):
    fed = tmp_path / "fed"
    assert run("new", fed, "--map", map_file, "--port", 18002).exit_code == 0
    assert run("add-site", fed, "north", "south").exit_code == 0
    key = (fed / "sites/north/startup/client.key").read_bytes()
    assert run("add-site", fed, "centre").exit_code == 0
    assert (fed / "sites/north/startup/client.key").read_bytes() == key, "north keeps its key"
    assert local_kits(fed)[0] == fed / "hub"
    for kit in local_kits(fed)[:-1]:
        resources = json.loads((kit / "local/resources.json").read_text())
        assert len(resources["class_allow_list"]) == 4
        assert resources["class_list_enforcement_mode"] == "enforce"
        assert resources["allow_log_streaming"] is False
        rights = json.loads((kit / "local/authorization.json").read_text())["permissions"]
        assert "byoc" not in str(rights)
        assert kit.stat().st_mode & 0o077 == 0
    assert not list(fed.rglob("prod_*")), "no second copy of private keys"


@with_engine
def test_names_that_cannot_be_a_sites(tmp_path, map_file):
    fed = tmp_path / "fed"
    run("new", fed, "--map", map_file)
    with pytest.raises(ExchangeError, match=r"'a/b'.*'x' is a site already"):
        kits.add_sites(fed, ["a/b", "x", "x"], {})
    assert kits.read_federation(fed).sites == []


@with_engine
def test_revoked_site_is_kept_from_the_hub(tmp_path, map_file):
    fed = tmp_path / "fed"
    run("new", fed, "--map", map_file)
    run("add-site", fed, "north")
    assert run("revoke", fed, "north").exit_code == 0
    found = json.loads((fed / "hub/disabled_clients.json").read_text())
    assert found == {"disabled_clients": ["north"]}
    assert fed / "sites/north" not in local_kits(fed, revoked=False)
    with pytest.raises(ExchangeError, match="no site 'south'"):
        kits.revoke_site(fed, "south")


@with_engine
def test_map_of_a_kit_on_its_own_machine(tmp_path, map_file):
    fed = tmp_path / "fed"
    run("new", fed, "--map", map_file)
    run("add-site", fed, "north")
    moved = (fed / "sites/north").rename(tmp_path / "elsewhere")
    set_map(moved, map_file)
    settings = json.loads((moved / "local/deepcity.json").read_text())
    assert settings == {"map": str(map_file)}
    assert local_kits(moved) == [moved]
    with pytest.raises(CheckpointError, match="no site's kit"):
        set_map(fed / "hub", map_file)


@with_engine
def test_hubs_port_that_is_taken_is_named_with_what_writes_another(tmp_path, map_file):
    fed = tmp_path / "fed"
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        assert run("new", fed, "--map", map_file, "--port", port).exit_code == 0
        result = run("start", fed, "--hub-only")
    assert isinstance(result.exception, ConfigError)
    text = str(result.exception)
    assert f"{fed / kits.FEDERATION}: port = {port}: another program listens there" in text
    assert "--port" not in run("start", "--help").output  # so it must not be asked for there
    assert "deepcity federation new NAME --map FILE --port PORT" in text
