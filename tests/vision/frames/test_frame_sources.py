"""Frames from folders and videos: when they were taken, how many, and what breaks."""

import gc
import weakref

import numpy as np
import pytest
from camera_pictures import encoded, picture, write_folder, write_video
from hypothesis import given
from hypothesis import strategies as st

from deepcity.city.errors import CameraError
from deepcity.vision.frames.image_folder import ImageFolder
from deepcity.vision.frames.pace import FramePace
from deepcity.vision.frames.source import FrameTimes, open_source
from deepcity.vision.frames.video_file import VideoFile

ALL = 1000.0


def frames(source, camera="gate", per_s=ALL, **times):
    return open_source(str(source), camera, FrameTimes(**times)).frames(FramePace(per_s))


def test_a_folder_by_the_times_in_its_names(tmp_path):
    names = ["20261201_041502.png", "20261201_041500.png", "20261201_041501.png"]
    write_folder(tmp_path / "a", names)
    (tmp_path / "a" / "notes.txt").write_text("not a picture")
    found = list(frames(tmp_path / "a"))
    assert [one.time_s - found[0].time_s for one in found] == [0, 1, 2]
    np.testing.assert_array_equal(found[0].image_HWC, picture(1))
    assert {one.camera for one in found} == {"gate"}


def test_a_folder_by_start_and_rate(tmp_path):
    write_folder(tmp_path / "a", [f"img{number:03}.png" for number in range(10)])
    found = [one.time_s for one in frames(tmp_path / "a", start_s=100.0, rate=5.0, per_s=2.5)]
    assert found == pytest.approx([100, 100.4, 100.8, 101.2, 101.6])


@pytest.mark.parametrize(
    ("names", "named"),
    [
        ([], "no pictures there"),
        (["20261201_041500.png", "img2.png"], "1 of 2 names hold no time, such as 'img2.png'"),
        (["20261201_041500.png", "b20261201_041500.png"], "are of one time"),
    ],
)
def test_folders_that_cannot_be_timed_are_named(tmp_path, names, named):
    write_folder(tmp_path / "a", names)
    with pytest.raises(CameraError, match=named):
        list(frames(tmp_path / "a"))


def test_a_cut_picture_is_named_after_those_before_it_were_given(tmp_path):
    write_folder(tmp_path / "a", [f"2026120104150{n}.png" for n in range(3)])
    bad = tmp_path / "a" / "20261201041502.png"
    bad.write_bytes(bad.read_bytes()[:40])
    found = []
    with pytest.raises(CameraError, match=r"20261201041502.png: no picture that can be decoded"):
        found.extend(frames(tmp_path / "a"))
    assert len(found) == 2
    bad.write_bytes(b"")
    with pytest.raises(CameraError, match="decoded"):
        list(frames(tmp_path / "a"))


@given(st.integers(0, 2_000), st.binary(min_size=1, max_size=30))
def test_edited_pictures_are_decoded_or_refused(at, data):
    from deepcity.vision.opencv import decoded

    whole = encoded(picture(0), ".jpg")
    found = decoded(whole[:at] + data + whole[at + len(data) :])
    assert found is None or found.ndim == 3


@pytest.mark.parametrize(("name", "kind"), [("v.avi", "MJPG"), ("v.mp4", "mp4v")])
def test_a_video_by_its_own_times(tmp_path, name, kind):
    path = write_video(tmp_path / name, 50, 25.0, kind)
    found = [(one.time_s, one.image_HWC) for one in frames(path, start_s=1000.0)]
    assert [time_s for time_s, _ in found] == pytest.approx(1000 + np.arange(50) / 25, abs=0.002)
    apart = [np.abs(image.astype(int) - picture(n)).mean() for n, (_, image) in enumerate(found)]
    assert max(apart) < 8
    assert VideoFile(path, "gate", 0.0).length_s() == pytest.approx(49 / 25)


def test_a_video_at_fewer_frames_a_second_and_at_a_rate_of_ones_own(tmp_path):
    path = write_video(tmp_path / "v.avi", 50, 25.0)
    assert len(list(frames(path, start_s=0.0, per_s=10.0))) == 20
    slow = [one.time_s for one in frames(path, start_s=0.0, rate=5.0)]
    assert slow[-1] == pytest.approx(49 / 5)


def test_a_video_that_was_cut_gives_what_it_has_and_is_named(tmp_path):
    path = write_video(tmp_path / "v.avi", 50)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    found = []
    with pytest.raises(CameraError, match=r"ends after \d+ of 50 frames|no video that can be read"):
        found.extend(frames(path, start_s=0.0))
    assert len(found) < 40


@pytest.mark.parametrize(
    ("name", "data", "named"),
    [
        ("v.mp4", b"no video at all", "no video that can be read"),
        ("v.mp4", b"", "no video that can be read"),
    ],
)
def test_what_is_no_video_is_named(tmp_path, name, data, named):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(CameraError, match=named):
        list(frames(tmp_path / name, start_s=0.0))


def test_sources_that_are_none_get_a_next_step(tmp_path):
    write_video(tmp_path / "gate.avi", 3)
    with pytest.raises(CameraError, match="did you mean"):
        frames(tmp_path / "gaet.avi")
    with pytest.raises(CameraError, match="give --start"):
        frames(tmp_path / "gate.avi")
    with pytest.raises(CameraError, match="ftp://: give rtsp"):
        frames("ftp://camera/a")
    with pytest.raises(ValueError, match="above 0"):
        FrameTimes(rate=0.0)


@pytest.mark.parametrize("kind", ["folder", "video"])
def test_no_frame_outlives_its_turn(tmp_path, kind):
    if kind == "folder":
        write_folder(tmp_path / "a", [f"img{number}.png" for number in range(6)])
        source = ImageFolder(tmp_path / "a", "gate", 0.0)
    else:
        source = VideoFile(write_video(tmp_path / "v.avi", 6), "gate", 0.0)
    living, most = [], 0
    taken = source.frames(FramePace(ALL))
    while (frame := next(taken, None)) is not None:
        living.append(weakref.ref(frame.image_HWC))
        del frame
        gc.collect()
        most = max(most, sum(one() is not None for one in living))
    assert len(living) == 6
    assert most == 0


@given(st.floats(0.2, 60), st.floats(0.2, 60))
def test_a_pace_takes_as_many_as_asked_and_never_more(given_per_s, wanted_per_s):
    pace, seconds = FramePace(wanted_per_s), 20
    count = int(seconds * given_per_s)
    taken = sum(pace.takes(1.7e9 + n / given_per_s) for n in range(count))
    expected = min(count, seconds * wanted_per_s)
    assert expected * 0.93 - 2 <= taken <= expected + 2
