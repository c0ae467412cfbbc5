"""Each command that is given a path which it cannot use: what is there, and a right next step."""

import os
import socket

import pytest
from processes import deepcity
from typer.testing import CliRunner

from deepcity.city.errors import DeepCityError
from deepcity.cli import app, main

CITY = 'name = "nuri"\n[[agency]]\nname = "water"\n'
MAP = 'name = "basin"\ncities = ["nuri.toml"]\n'


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nuri.toml").write_text(CITY)
    (tmp_path / "basin.toml").write_text(MAP)
    (tmp_path / "rows.csv").write_text("time,a\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "runs" / "basin" / "sites").mkdir(parents=True)


def refused(*words):
    """What a command says to a person; never a traceback of something else."""
    found = CliRunner().invoke(app, list(words), env={"COLUMNS": "300"})
    assert found.exit_code != 0
    error = found.exception
    assert isinstance(error, DeepCityError | SystemExit), (words, error)
    return found.output + (str(error) if isinstance(error, DeepCityError) else "")


OF_A_RUN = [
    ("forecast",),
    ("backtest",),
    ("export", "--party", "a/b", "--out", "a.onnx"),
    ("report",),
    ("audit",),
    ("layers", "list"),
]


@pytest.mark.parametrize("words", OF_A_RUN)
@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("runs/basn", "did you mean 'runs/basin'?"),
        ("nuri.toml", "this is a city file"),
        ("basin.toml", "name runs/basin"),
        ("empty", "this folder is empty"),
        ("runs", "name one of them: runs/basin"),
    ],
)
def test_a_run_is_expected(words, path, why):
    text = refused(words[0], *words[1:2], path) if words[0] == "layers" else None
    text = text or refused(words[0], path, *words[1:])
    assert path in text
    assert why in text


@pytest.mark.parametrize("command", ["run", "update", "train-vertical"])
def test_a_map_is_expected(command):
    assert "name a map of it: basin.toml" in refused(command, "nuri.toml").replace("Name", "name")
    assert "Did you mean 'basin.toml'?" in refused(command, "basn.toml")
    assert "this folder is empty" in refused(command, "empty")


def test_a_city_file_or_records_are_expected():
    assert "Did you mean 'nuri.toml'?" in refused("up", "nury.toml")
    assert "Name its city files: nuri.toml" in refused("data", "check", "basin.toml")
    assert "Did you mean 'rows.csv'?" in refused("data", "check", "row.csv")
    assert "Did you mean 'rows.csv'?" in refused("init", "row.csv", "--yes")
    assert "Name its files: rows.csv" in refused("data", "check", ".")
    assert "this is a city file, not records" in refused("init", "nuri.toml", "--yes")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("layers", "show", "runs/basin"), "not a .layers file; deepcity run writes it"),
        (
            ("serve", "basin.toml", "--city", "nuri.toml", "--access", "no.toml"),
            "this is a map, not a .fused file. deepcity train-vertical writes it",
        ),
        (
            ("agent", "no.encoder", "--city", "nuri.toml", "--to", "http://127.0.0.1:9"),
            "no.encoder: no such file or folder. deepcity train-vertical writes it",
        ),
        (("federation", "status", "basin.toml"), "this is a map"),
    ],
)
def test_other_files_are_expected(words, why):
    assert why in refused(*words)


def test_up_names_the_file_first_and_all_that_is_wrong():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        given = {"accounts": "no.accounts", "certificate": "no.pem", "key": "no.key", "run": "rnus"}
        options = [part for name, value in given.items() for part in (f"--{name}", value)]
        text = refused("up", "nothing.toml", "--port", port, *options)
    at = [text.index(one) for one in ("nothing.toml", "--run", "no.accounts", "no.pem", port)]
    assert at == sorted(at), text
    assert "did you mean 'runs'?" in text.lower()


def test_the_name_of_a_file_does_not_move_the_cursor_of_a_terminal(tmp_path):
    found = deepcity("data", "check", tmp_path / "a\x1b[2J.csv")
    assert found.returncode == 1
    text = "".join((found.stdout + found.stderr).split())  # a table breaks a long path
    assert "a\\x1b[2J.csv" in text
    assert "\x1b" not in text


PIPES = [
    ("up", "pipe"),
    *(("up", "nuri.toml", f"--{option}", "pipe") for option in ("accounts", "oidc", "access")),
    ("up", "nuri.toml", "--certificate", "pipe", "--key", "pipe"),
    ("up", "nuri.toml", "--store", "postgresql://a@b/c", "--store-password-file", "pipe"),
    ("data", "check", "pipe.toml"),
    ("run", "pipe.toml"),
    ("report", "runs/basin"),
    ("layers", "show", "pipe.layers"),
]


@pytest.mark.parametrize("words", PIPES, ids=" ".join)
def test_a_pipe_that_nobody_writes_to_is_refused_and_not_waited_for(words):
    for name in ("pipe", "pipe.toml", "pipe.layers", "runs/basin/results.json"):
        os.mkfifo(name)
    found = deepcity(*words, timeout=120)
    assert found.returncode != 0
    text = " ".join((found.stdout + found.stderr).split())
    assert "a named pipe, not a file" in text
    assert "Traceback" not in text


@pytest.mark.parametrize("words", [("up",), ("run",), ("forecast",), ("report",), ("audit",)])
def test_a_path_longer_than_any_disk_holds_is_no_traceback(words, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["deepcity", *words, "a" * 300])
    with pytest.raises(SystemExit):
        main()
    assert "aaa" in capsys.readouterr().err
