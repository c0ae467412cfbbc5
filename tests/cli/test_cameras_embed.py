"""Embeddings of a person's pictures, and tracks that go into the city's store."""

import json
import time

import numpy as np
import pytest
from camera_pictures import write_folder
from little_networks import write_detector, write_embedder
from typer.testing import CliRunner

from deepcity.city.errors import CameraError
from deepcity.cli import app
from deepcity.vision.opencv import encoded
from deepcity.vision.searching.person_query import PersonQuery, SearchSpan
from deepcity.vision.searching.stored_search import StoredSearch
from deepcity.vision.track_store.found_store import found_store

pytest.importorskip("openvino")


@pytest.fixture
def own(tmp_path):
    detector = write_detector(tmp_path / "find.onnx")
    return ["--model", str(detector), "--model", str(write_embedder(tmp_path / "tell.onnx"))]


def run(*words, code=0):
    found = CliRunner().invoke(app, ["cameras", *map(str, words)], catch_exceptions=False)
    assert found.exit_code == code, found.output
    return found.output


def picture(path, colour):
    image = np.zeros((64, 48, 3), np.uint8)
    image[:] = colour
    path.write_bytes(encoded(image))
    return path


def test_pictures_become_a_query(tmp_path, own):
    pictures = [picture(tmp_path / f"{n}.png", (n * 40, 200, 90)) for n in (1, 2)]
    out = tmp_path / "child.json"
    text = run("embed", *pictures, "--out", out, *own)
    assert "2 embeddings by tell-" in text
    found = json.loads(out.read_text())
    query = PersonQuery(found["network"], np.array(found["embeddings"]))
    assert query.embedding_QE.shape == (2, 12)
    assert out.stat().st_mode & 0o077 == 0  # it stands for a person
    whole = tmp_path / "whole.json"
    run("embed", *pictures, "--whole", "--out", whole, *own)
    assert json.loads(whole.read_text())["network"] == found["network"]


def test_every_picture_that_cannot_be_used_is_named_and_nothing_is_written(tmp_path, own):
    (tmp_path / "text.png").write_text("no picture")
    black = picture(tmp_path / "black.png", (0, 0, 0))
    out = tmp_path / "child.json"
    words = (tmp_path / "text.png", tmp_path / "none.png", "--out", out, *own)
    with pytest.raises(CameraError, match=r"text\.png is no picture.*none\.png cannot be read"):
        run("embed", *words)
    with pytest.raises(CameraError, match="no direction"):
        run("embed", black, "--whole", "--out", out, *own)
    nobody = write_detector(tmp_path / "nobody.onnx", label=2)
    words = ("--model", nobody, "--model", own[3])
    with pytest.raises(CameraError, match="no person was found in it; cut the person out"):
        run("embed", picture(tmp_path / "a.png", (9, 9, 200)), "--out", out, *words)
    with pytest.raises(CameraError, match="33 pictures"):
        run("embed", *[black] * 33, "--out", out, *own)
    assert not out.exists()


def test_a_camera_writes_into_the_store_that_is_searched(tmp_path, own):
    now_s = time.time()
    begins = time.strftime("%Y%m%d%H%M", time.gmtime(now_s - 300))
    names = [f"{begins}{n // 10:02}{n % 10}00.png" for n in range(20)]
    store = tmp_path / "tracks"
    words = (write_folder(tmp_path / "gate", names), "--camera", "gate", *own)
    text = run("watch", *words, "--store", store, "--hours", 2)
    assert "1 tracks of camera gate" in text
    found = found_store(store, 2)
    query = PersonQuery(lower=frozenset({"black", "grey", "white", "red", "green", "blue"}))
    span = SearchSpan(now_s - 3600, now_s)
    assert len(StoredSearch(found).nearest(query, span, 5)) <= 1
    assert (found.network[:5], found.width) == ("tell-", 12)
    for both in ([], ["--store", store, "--out", tmp_path / "gate.tracks"]):
        with pytest.raises(CameraError, match="--out FILE for a file"):
            run("watch", *words, *both)
