"""`deepcity models`: what there is, and from a server or folder into a folder of one's own."""

import json
import shutil

import pytest
from camera_networks import FOLDER, NEEDS_NETWORKS
from served_files import served
from typer.testing import CliRunner

from deepcity.city.errors import NetworkFileError
from deepcity.cli import app

DETECTOR = "pedestrian-detection-adas-0002"


def run(*words, code=0):
    found = CliRunner().invoke(app, ["models", *map(str, words)], catch_exceptions=False)
    assert found.exit_code == code, found.output
    return found.output


def test_networks_are_listed_in_both_languages_with_how_to_get_them(tmp_path):
    english = run("list", "--models", tmp_path)
    assert f"{DETECTOR}\n    detection, Apache-2.0, 2.6 MB" in english
    assert f"fetch: deepcity models fetch {DETECTOR}" in english
    assert "사람 찾기" in run("list", "--models", tmp_path, "--language", "ko")


def test_json_has_addresses_and_checksums(tmp_path):
    found = {one["name"]: one for one in json.loads(run("list", "--models", tmp_path, "--json"))}
    build = found[DETECTOR]["build"][0]
    assert build["folder"].startswith("https://storage.openvinotoolkit.org/")
    assert {len(one["sha384"]) for one in build["file"]} == {96}
    assert found[DETECTOR]["here"] is None


def test_an_unknown_name_is_refused_before_anything_is_asked(tmp_path):
    with pytest.raises(NetworkFileError, match="did you mean 'pedestrian-detection-adas-0002'"):
        run("fetch", "pedestrian-detection-adas-2", "--to", tmp_path)


@NEEDS_NETWORKS
@pytest.mark.real
def test_a_real_network_from_a_folder_and_from_a_server(tmp_path):
    output = run("fetch", DETECTOR, "--from", FOLDER, "--to", tmp_path / "a")
    assert "release 2023.0, Apache-2.0, checksums are right" in output
    assert "release 2023.0 is here" in run("list", "--models", tmp_path / "a")
    with served() as server:
        for name in (f"{DETECTOR}.xml", f"{DETECTOR}.bin"):
            server.files[f"/zoo/{name}"] = (FOLDER / name).read_bytes()
        source = f"{server.url}/zoo"
        run("fetch", DETECTOR, "--from", source, "--to", tmp_path / "b", "--language", "ko")
        assert len(server.asked) == 2
        shutil.copy(FOLDER / "LICENSE", tmp_path / "b" / f"{DETECTOR}.bin")
        server.files[f"/zoo/{DETECTOR}.bin"] = b"another"
        with pytest.raises(NetworkFileError, match="its makers published 2,330,176 bytes"):
            run("fetch", DETECTOR, "--from", source, "--to", tmp_path / "b")
