"""A path that is not what was expected: what lies there, and a next step that is right for it."""

import json
import os

import pytest

from deepcity.city.given_path import (
    PathKind,
    did_you_mean_path,
    no_city,
    no_file,
    no_map,
    no_run,
    path_kind,
)

CITY = 'name = "nuri"\n[[agency]]\nname = "water"\n'
MAP = 'name = "basin"\ncities = ["nuri.toml"]\n'


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nuri.toml").write_text(CITY)
    (tmp_path / "basin.toml").write_text(MAP)
    (tmp_path / "rows.csv").write_text("time,a\n")
    (tmp_path / "empty").mkdir()
    run = tmp_path / "runs" / "basin"
    (run / "coordinator").mkdir(parents=True)
    (run / "map.json").write_text(json.dumps({"absolute": str(tmp_path / "basin.toml")}))
    (run / "coordinator" / "water-1.layers").touch()
    return tmp_path


def path(here, name):
    return here.__class__(name)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("nothing", PathKind.NOTHING),
        ("nuri.toml", PathKind.CITY),
        ("basin.toml", PathKind.MAP),
        ("rows.csv", PathKind.FILE),
        ("runs/basin", PathKind.RUN),
        ("empty", PathKind.EMPTY),
        ("runs", PathKind.FOLDER),
    ],
)
def test_what_lies_there(here, name, kind):
    assert path_kind(path(here, name)) is kind


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nothing", "no such file or folder; name the folder of a finished run"),
        ("runs/basn", "did you mean 'runs/basin'? Name the folder of a finished run"),
        ("rnus/basin", "did you mean 'runs/basin'?"),
        ("runs", "this folder holds runs and is none itself; name one of them: runs/basin"),
        ("nuri.toml", "train a map that names it: deepcity run basin.toml"),
        ("basin.toml", "this is a map, not the folder of its run; name runs/basin"),
        ("empty", "this folder is empty, not the folder of a run"),
        ("rows.csv", "Runs here: runs/basin"),
        ("runs/basin", "it holds no forecaster; finish it"),
    ],
)
def test_no_run(here, name, words):
    assert words in "; ".join(no_run(path(here, name), "it holds no forecaster"))


def test_a_map_without_a_run_is_to_be_trained_first(here):
    (here / "basin.toml").write_text(MAP.replace("basin", "other"))
    right = no_run(path(here, "basin.toml"))[1]
    assert right == "train it (deepcity run basin.toml), then name runs/other"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("basn.toml", "Did you mean 'basin.toml'?"),
        ("nuri.toml", "this is a city file, not a map; name a map of it: basin.toml"),
        ("runs/basin", "this is the folder of a run, not a map; name its map"),
        (".", "name one in it: basin.toml"),
        ("empty", "deepcity init FILE writes a city file and a map"),
    ],
)
def test_no_map(here, name, words):
    assert words.lower() in "; ".join(no_map(path(here, name))).lower()


def test_no_city(here):
    assert no_city(path(here, "basin.toml")) == (
        "this is a map, not a city file",
        "name its city files: nuri.toml",
    )
    assert no_city(path(here, "nury.toml"))[1].startswith("did you mean 'nuri.toml'? Correct")
    assert "deepcity init" in no_city(path(here, "nothing.toml"))[1]


def test_no_file_of_layers(here):
    given = "a .layers file", "deepcity run writes it", ".layers"
    found = no_file(path(here, "runs/basin"), *given)
    assert found[1] == "name a file: runs/basin/coordinator/water-1.layers"
    near = no_file(path(here, "runs/basin/coordinator/water-2.layers"), *given)
    assert "did you mean 'runs/basin/coordinator/water-1.layers'? deepcity run" in near[1]


def test_only_what_fits_is_offered(here):
    assert did_you_mean_path(path(here, "basin"), lambda one: one.is_dir()) == ""
    assert did_you_mean_path(path(here, "zzz")) == ""
    assert did_you_mean_path(path(here, "nothing.toml")) == "", "an ending makes nothing alike"


def test_a_name_that_no_disk_holds_is_nothing(here):
    for name in ("a" * 300, "a" * 300 + ".toml", "runs/" + "b" * 5000):
        assert path_kind(path(here, name)) is PathKind.NOTHING
        assert did_you_mean_path(path(here, name)) == ""
        for why in (no_run, no_map, no_city):
            assert PathKind.NOTHING in why(path(here, name))[0]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_is_not_waited_for(here):
    os.mkfifo(here / "pipe.toml")
    (here / "runs" / "basin" / "map.json").unlink()
    os.mkfifo(here / "runs" / "basin" / "map.json")
    assert path_kind(path(here, "pipe.toml")) is PathKind.PIPE
    assert "nuri.toml" in no_city(path(here, "nurii.toml"))[1]
    assert "name its map's file" in no_map(path(here, "runs/basin"))[1]


@pytest.mark.parametrize(
    ("cities", "shown"),
    [
        (r'["\u0000"]', r"cities[1] = '\x00'"),
        (r'["nuri.toml", "a\u001b[2J"]', r"cities[2] = 'a\x1b[2J'"),
        ('[""]', "cities[1] = ''"),
        ("[3]", "cities[1] = 3"),
    ],
)
def test_what_is_no_file_is_named_and_no_remedy(here, cities, shown):
    (here / "odd.toml").write_text(f'name = "odd"\ncities = {cities}\n')
    why, right = no_city(here / "odd.toml")
    assert why == f"this is a map, and {shown} is no name of a file"
    assert right == "correct that"
