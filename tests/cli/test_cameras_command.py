"""`deepcity cameras watch`: from a source to a file of tracks, in a process as an operator's."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from camera_networks import FOLDER, NEEDS_NETWORKS
from camera_pictures import mjpeg_stream, write_folder, write_video
from little_networks import BOX, write_detector, write_embedder
from served_files import served
from typer.testing import CliRunner

from deepcity.city.errors import CameraError, NetworkFileError
from deepcity.cli import app
from deepcity.vision.track_file import TrackFileReader

pytest.importorskip("openvino")
CAMERAS = """
[[camera]]
id = "gate"
size = [320, 240]
pairs = [
  { pixel = [0, 240], ground = [0.0, 0.0] },
  { pixel = [320, 240], ground = [10.0, 0.0] },
  { pixel = [320, 120], ground = [10.0, 20.0] },
  { pixel = [0, 120], ground = [0.0, 20.0] },
]
"""


@pytest.fixture
def own(tmp_path):
    """`--model` for both tasks."""
    detector = write_detector(tmp_path / "find.onnx")
    return ["--model", detector, "--model", write_embedder(tmp_path / "tell.onnx")]


def words(source, out, *more):
    return ["cameras", "watch", str(source), "--camera", "gate", "--out", str(out), *map(str, more)]


def run(source, out, *more, code=0):
    found = CliRunner().invoke(app, words(source, out, *more), catch_exceptions=False)
    assert found.exit_code == code, found.output
    return found.output


def tracks(path):
    return list(TrackFileReader(path).tracks())


def folder(tmp_path, count=20):
    return write_folder(
        tmp_path / "gate", [f"2026120104150{n // 10}{n % 10}00.png" for n in range(count)]
    )


def test_a_folder_of_pictures_becomes_tracks_with_metres(tmp_path, own):
    (tmp_path / "cameras.toml").write_text(CAMERAS, encoding="utf-8")
    out = tmp_path / "gate.tracks"
    calibrated = ["--calibration", tmp_path / "cameras.toml"]
    output = run(folder(tmp_path), out, *own, "--fps", 10, *calibrated)
    assert "1 tracks of camera gate from 20 frames, embeddings by tell-" in output
    assert "delete it within hours" in output
    [one] = tracks(out)
    assert one.track.time_s_T[0] == 1796098500.0
    assert one.track.last_s == pytest.approx(1796098501.9)
    np.testing.assert_allclose(one.track.box_T4[0], np.array(BOX) * (160, 120, 160, 120), atol=0.1)
    assert one.track.ground_T2[0, 0] == pytest.approx(3.75, abs=0.1)
    assert one.track.embedding_E.size == 12
    assert one.appearance is not None


def test_the_same_command_again_goes_on_with_the_file(tmp_path, own):
    out = tmp_path / "gate.tracks"
    for _ in range(2):
        run(folder(tmp_path), out, *own)
    assert [one.track.number for one in tracks(out)] == [0, 1]


def test_a_video_needs_its_start_and_may_do_without_embeddings(tmp_path, own):
    video = write_video(tmp_path / "v.avi", 50)
    with pytest.raises(CameraError, match="give --start"):
        run(video, tmp_path / "a", *own)
    korean = ["--start", "2026-12-01T13:15:00", "--zone", "Asia/Seoul", "--language", "ko"]
    output = run(video, tmp_path / "a", *own[:2], "--no-embeddings", *korean)
    assert "임베딩 없음" in output
    [one] = tracks(tmp_path / "a")
    assert one.track.first_s == 1796098500.0
    assert one.track.embedding_E.size == 0


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--fps", 0], "0.0 frames a second"),
        (["--zone", "Asia/Soul"], "no time zone"),
        (["--start", "yesterday"], "write it as 2026"),
        (["--wait", -1], "-1.0 s to wait"),
    ],
)
def test_options_that_are_wrong_are_named(tmp_path, own, more, named):
    assert named in " ".join(run(folder(tmp_path), tmp_path / "a", *own, *more, code=2).split())
    assert not (tmp_path / "a").exists()


def test_networks_and_calibrations_that_are_not_there_get_a_next_step(tmp_path, own):
    with pytest.raises(NetworkFileError, match="run `deepcity models fetch pedestrian"):
        run(folder(tmp_path), tmp_path / "a", "--models", tmp_path)
    with pytest.raises(NetworkFileError, match="a second network for detection"):
        run(folder(tmp_path), tmp_path / "a", *own[:2], *own[:2])
    (tmp_path / "cameras.toml").write_text(CAMERAS.replace('"gate"', '"gaet"'), encoding="utf-8")
    with pytest.raises(CameraError, match="did you mean 'gaet'"):
        run(folder(tmp_path), tmp_path / "a", *own, "--calibration", tmp_path / "cameras.toml")


def test_a_source_that_breaks_off_keeps_what_was_seen(tmp_path, own):
    pictures = folder(tmp_path)
    bad = sorted(pictures.iterdir())[15]
    bad.write_bytes(bad.read_bytes()[:50])
    with pytest.raises(CameraError, match=bad.name):
        run(pictures, tmp_path / "a", *own, "--fps", 10)
    [one] = tracks(tmp_path / "a")
    assert len(one.track.time_s_T) == 15


@contextlib.contextmanager
def watching(server, out, own):
    """The command in a process of its own, which has begun its file."""
    server.files["/live"] = mjpeg_stream(5_000)
    line = [sys.executable, "-m", "deepcity", *words(f"{server.url}/live", out, *own)]
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 60
        while not (out.exists() and out.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.05)
        yield process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stream_is_watched_until_a_signal_and_open_tracks_are_written(tmp_path, own, number):
    out = tmp_path / "gate.tracks"
    with served() as server:
        for patience_s in (1.5, 10, 30):  # a busy machine sees few frames in a second
            with watching(server, out, own) as process:
                time.sleep(patience_s)
                process.send_signal(number)
                printed, errors = process.communicate(timeout=60)
            assert process.returncode == 0, errors
            if "0 tracks" not in printed:
                break
    assert "1 tracks of camera gate" in printed
    [one] = tracks(out)
    assert abs(one.track.last_s - time.time()) < 30


def test_a_kill_costs_the_open_tracks_alone(tmp_path, own):
    out = tmp_path / "gate.tracks"
    with served() as server, watching(server, out, own) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
    run(folder(tmp_path), out, *own)
    assert len(tracks(out)) == 1


@NEEDS_NETWORKS
@pytest.mark.real
def test_by_the_real_networks_nobody_is_seen_where_nobody_is(tmp_path):
    output = run(folder(tmp_path), tmp_path / "a", "--models", FOLDER)
    assert "0 tracks of camera gate from 10 frames" in output
    assert TrackFileReader(tmp_path / "a").head.network == "person-reidentification-retail-0287"
