"""Tracks in a file: what is written is read, also after a kill; what was edited is named."""

import math
import os
import stat

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.city.errors import CameraError
from deepcity.vision.appearance import COLOURS, Appearance, Clothing
from deepcity.vision.described_track import DescribedTrack
from deepcity.vision.track import Track
from deepcity.vision.track_file import TrackFileHead, TrackFileReader, TrackFileWriter

HEAD = TrackFileHead(camera="gate", network="net", width=4)
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def described(number, seed=0, times=3):
    rng = np.random.default_rng(seed)
    row = rng.normal(size=4)
    track = Track(
        "gate",
        number,
        1.76e9 + np.arange(times) / 8,
        rng.uniform(0, 500, (times, 4)).round(1),
        (row / np.linalg.norm(row)).astype(np.float32).astype(float),
        np.vstack([rng.uniform(0, 50, (times - 1, 2)).round(2), [[np.nan, np.nan]]]),
    )
    return DescribedTrack(
        track, 1.71, Appearance(Clothing("red", 0.5), Clothing(COLOURS[number % 11], 0.25))
    )


def write(path, numbers, head=HEAD):
    with TrackFileWriter(path, head) as file:
        for number in numbers:
            file.add(described(number, seed=number))


def read(path):
    return list(TrackFileReader(path).tracks())


def same(one, other):
    assert one.track.number == other.track.number
    for name in ("time_s_T", "box_T4", "ground_T2", "embedding_E"):
        np.testing.assert_allclose(getattr(one.track, name), getattr(other.track, name), atol=1e-7)
    assert one.appearance == other.appearance
    assert one.height_m == pytest.approx(other.height_m, nan_ok=True)


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "deep" / "gate.tracks"
    write(path, range(3))
    for number, one in enumerate(read(path)):
        same(one, described(number, seed=number))
    assert TrackFileReader(path).head == HEAD
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_unknown_height_clothes_and_embedding_stay_unknown(tmp_path):
    bare = DescribedTrack(Track("gate", 5, np.array([1.0]), np.array([[0.0, 0, 5, 9]])))
    with TrackFileWriter(tmp_path / "a", HEAD) as file:
        file.add(bare)
    [one] = read(tmp_path / "a")
    assert math.isnan(one.height_m)
    assert one.appearance is None
    assert (one.track.embedding_E.size, len(one.track.ground_T2)) == (0, 0)


@pytest.mark.parametrize("cut", [1, 30, 150])
def test_after_a_kill_the_half_line_is_no_track_and_is_written_over(tmp_path, cut):
    path = tmp_path / "gate.tracks"
    write(path, [0, 1])
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    assert [one.track.number for one in read(path)] == [0]
    with TrackFileWriter(path, HEAD) as file:
        assert file.next_number == 1
        file.add(described(1, seed=1))
    assert path.read_bytes() == whole


def test_a_file_whose_first_line_was_cut_begins_anew_and_others_files_are_left(tmp_path):
    path = tmp_path / "gate.tracks"
    write(path, [])
    whole = path.read_bytes()
    for size in (0, 5, len(whole) - 1):
        path.write_bytes(whole[:size])
        write(path, [3])
        assert [one.track.number for one in read(path)] == [3]
    for data in (b"notes of mine", b"notes\nof\nmine\n", b"{}\n", b"x" * 5_000):
        path.write_bytes(data)
        with pytest.raises(CameraError, match="no file of tracks"):
            write(path, [3])
        assert path.read_bytes() == data


def test_another_camera_or_network_needs_another_file(tmp_path):
    write(tmp_path / "a", [0])
    with pytest.raises(CameraError, match=r"camera 'gate' by network 'net', not of 'square'"):
        write(tmp_path / "a", [1], TrackFileHead(camera="square", network="net", width=4))
    with pytest.raises(CameraError, match="give another --out"):
        write(tmp_path / "a", [1], TrackFileHead(camera="gate", network="other", width=4))


def test_two_writers_are_refused_and_one_after_the_other_is_not(tmp_path):
    with (
        TrackFileWriter(tmp_path / "a", HEAD),
        pytest.raises(CameraError, match="another process writes to it"),
    ):
        TrackFileWriter(tmp_path / "a", HEAD)
    write(tmp_path / "a", [0])


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (b'"number":1', b'"number":-1', "number"),
        (b'"red"', b'"rod"', "colour 'rod' is none of"),
        (b'"embedding":"', b'"embedding":"AAAA', "an embedding of 19 bytes"),
        (b'"height_m":1.71', b'"height_m":NaN', "line 3"),
        (b'"time_s":[1760000000.0,', b'"time_s":[1860000000.0,', "times must increase"),
        (b'"box":[', b'"box":[[1,2,3,4],', "boxes of shape"),
        (b"{", b"!", "line 3"),
    ],
)
def test_an_edited_line_is_named_with_its_number(tmp_path, old, new, named):
    path = tmp_path / "gate.tracks"
    write(path, [0, 1])
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], lines[2].replace(old, new, 1)]))
    with pytest.raises(CameraError, match=named) as refused:
        read(path)
    assert "line 3 is no track" in str(refused.value)


@given(st.integers(0, 1_500), st.binary(max_size=40))
def test_edited_files_are_read_or_refused(tmp_path_factory, at, data):
    path = tmp_path_factory.mktemp("edited") / "gate.tracks"
    write(path, [0, 1])
    whole = path.read_bytes()
    path.write_bytes(whole[:at] + data + whole[at + len(data) :])
    try:
        found = read(path)
    except CameraError:
        return
    assert all(isinstance(one, DescribedTrack) for one in found)


def test_with_a_storage_key_nothing_is_readable_without_it(tmp_path, monkeypatch):
    path = tmp_path / "gate.tracks"
    monkeypatch.setenv("CITY_KEY", KEY)
    monkeypatch.setenv("DEEPCITY_STORAGE_KEY", "env:CITY_KEY")
    write(path, [0])
    write(path, [1])
    assert b"gate" not in path.read_bytes()
    assert b"red" not in path.read_bytes()
    same(read(path)[1], described(1, seed=1))
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([lines[0], lines[1][:-8] + b"AAAAAAA=", b""]))
    with pytest.raises(CameraError, match="line 2 is no track"):
        read(path)
    monkeypatch.delenv("DEEPCITY_STORAGE_KEY")
    with pytest.raises(CameraError, match="it is encrypted with the key"):
        read(path)


def test_a_full_disk_is_named(tmp_path):
    if not os.path.exists("/dev/full"):  # noqa: PTH110
        pytest.skip("needs /dev/full")
    writer = TrackFileWriter(tmp_path / "a", HEAD)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, writer._file.fileno())
    os.close(full)
    with pytest.raises(CameraError, match="cannot be written"), writer:
        writer.add(described(0))
    write(tmp_path / "a", [1])
